import { channel, type Channel, tracingChannel, type TracingChannel } from 'node:diagnostics_channel';

/** A stage in the life of a connection, on the tracing channel `infra:connection`. */
export interface ConnectionStage {
  /** The connection's id, e.g. `database` or `redis:sessions`. */
  readonly id: string;
  readonly stage: 'open' | 'check' | 'drain' | 'close';
}

/** One call to a server, on the tracing channel `infra:<component>`. Values (parameters, keys, bodies) never appear here. */
export interface Operation {
  /** The concern, e.g. `database`; its label set is the list of concerns. */
  readonly component: string;
  /** The connection's id, e.g. `database:audit`. */
  readonly connection: string;
  /** A word of a small fixed vocabulary, e.g. `SELECT`, `get`, `publish`. */
  readonly operation: string;
  /** What it acted on, sanitised and bounded: a table, a topic; never a key with an id in it. */
  readonly resource?: string;
}

/** A change of a check's state, on the channel `infra:health`. */
export interface HealthChange {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly error?: unknown;
}

/** A reload of the configuration, on the channel `infra:config`. */
export interface ConfigReload {
  /** Keys whose new value is in force. */
  readonly applied: readonly string[];
  /** Keys whose new value needs a restart. */
  readonly restart: readonly string[];
  readonly error?: unknown;
}

export const connectionStages: TracingChannel<unknown, ConnectionStage> = tracingChannel('infra:connection');
export const healthChanges: Channel = channel('infra:health');
export const configReloads: Channel = channel('infra:config');

/** Which application a message is of: channels belong to the process, and two applications may live in one. */
const senders = new WeakMap<object, object>();

/**
 * The application whose call or stage a message tells of, known by its {@link AppState}; `undefined` when it was not said.
 * @param message an {@link Operation} or a {@link ConnectionStage}
 */
export function appOf(message: object): object | undefined {
  return senders.get(message);
}

/**
 * Says which application a message is of, before it is published on a channel of the process.
 * @param app its {@link AppState}
 */
export function sentBy<Message extends object>(app: object, message: Message): Message {
  senders.set(message, app);
  return message;
}

/** The channel of {@link operations}, as one application uses it. @internal */
export function operationsOf(component: string, app: object): TracingChannel<unknown, Operation> {
  const shared = operations(component);
  const say = (message: Operation | undefined): void => {
    if (message && shared.hasSubscribers) sentBy(app, message);
  };
  return Object.assign(Object.create(shared) as typeof shared, {
    traceSync: ((fn, message, ...rest) => {
      say(message);
      return shared.traceSync(fn, message, ...rest);
    }) as typeof shared.traceSync,
    tracePromise: ((fn, message, ...rest) => {
      say(message);
      return shared.tracePromise(fn, message, ...rest);
    }) as typeof shared.tracePromise,
    traceCallback: ((fn, position, message, ...rest) => {
      say(message);
      return shared.traceCallback(fn, position, message, ...rest);
    }) as typeof shared.traceCallback,
  });
}

/** The tracing channel on which a component reports each of its calls. Without a subscriber a call costs nothing. */
export function operations(component: string): TracingChannel<unknown, Operation> {
  return tracingChannel<unknown, Operation>(`infra:${component}`);
}
