import type { MessagingHub } from '../bus/messaging-hub.js';
import type { CloudEvent } from '../events/cloud-event.js';
import { checkReceived } from '../events/check-data.js';
import { EventInvalidError, HandlerTimeoutError, UnknownEventVersionError } from '../errors.js';
import { BatchResult } from '../handlers/batch-result.js';
import type { Handler } from '../handlers/handler.js';
import { MessageContext } from '../handlers/message-context.js';
import { tell } from '../events/messaging-events.js';
import type { Failure, Work } from './work.js';

/** What became of an attempt: for each message its failure, if it has one. */
export interface Attempted {
  readonly failures: readonly (Failure | undefined)[];
  /** The handler failed as a whole, and did not say which messages are to blame. */
  readonly whole: boolean;
}

/**
 * One attempt of a handler with one message, or with a batch. Never rejects.
 * @param abort aborts the handler's signal from outside; the attempt has failed then
 */
export async function attempt(
  hub: MessagingHub,
  handler: Handler,
  works: readonly Work[],
  abort: AbortController,
): Promise<Attempted> {
  const failures: (Failure | undefined)[] = works.map(() => undefined);
  const events: CloudEvent[] = [];
  const valid: number[] = [];
  const definition = handler.definition ?? hub.routes.definitionOf(handler.type);
  for (const [at, { event }] of works.entries()) {
    try {
      events[at] = definition ? checkReceived(definition, event!) : event!;
      valid.push(at);
    } catch (error) {
      failures[at] = { error, reason: reasonOf(error) };
    }
  }
  if (valid.length === 0) return { failures, whole: false };
  const since = hub.site.clock.monotonic();
  try {
    const failed = await inTime(handler, abort, () => call(hub, handler, works, events, valid, abort.signal));
    for (const [at, error] of failed) failures[at] = { error };
  } catch (error) {
    for (const at of valid) failures[at] = { error };
    return { failures, whole: valid.length > 1 };
  }
  const durationMs = hub.site.clock.monotonic() - since;
  const messages = failures.filter(failure => !failure).length;
  tell({ kind: 'handled', group: handler.group, topic: handler.topic, messages, durationMs });
  return { failures, whole: false };
}

/** Resolves with the messages that have failed, by their place among the works. */
async function call(
  hub: MessagingHub,
  handler: Handler,
  works: readonly Work[],
  events: readonly CloudEvent[],
  valid: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, unknown>> {
  const failed = new Map<number, unknown>();
  const handle = async (places: readonly number[]): Promise<void> => {
    const own = places.map(at => events[at]!);
    const tries = Math.max(...places.map(at => works[at]!.attempts)) + 1;
    const context = new MessageContext(
      own,
      places.map(at => works[at]!.message),
      handler.group,
      tries,
      signal,
    );
    const result = await handler.call(handler.batch ? own.map(({ data }) => data) : own[0]!.data, context);
    if (result instanceof BatchResult)
      for (const [at, error] of result.failures) {
        if (places[at] === undefined)
          throw new TypeError(`BatchResult names the place ${at} of a batch of ${places.length} events.`);
        failed.set(places[at], error);
      }
  };
  const { inbox } = hub.stores;
  const guarded = async (): Promise<void> => {
    if (!inbox || !handler.idempotent) return handle(valid);
    const ids = valid.map(at => `${events[at]!.source}#${events[at]!.id}`);
    const repeated = await inbox.once(handler.group, ids, async fresh => {
      failed.clear(); // the transaction is run again after a serialisation failure
      await handle(fresh.map(at => valid[at]!));
      return fresh.filter(at => failed.has(valid[at]!));
    });
    if (repeated.length > 0)
      tell({ kind: 'repeated', group: handler.group, topic: handler.topic, messages: repeated.length });
    return undefined;
  };
  const { id, correlationId, traceparent, tracestate } = events[valid[0]!]!;
  const { operations, context, clock } = hub.site;
  const fields = {
    requestId: id,
    correlationId: correlationId ?? id,
    deadline: clock.now() + handler.timeoutMs,
    signal,
    ...(traceparent !== undefined && { traceparent }),
    ...(tracestate !== undefined && { tracestate }),
  };
  await context.run(fields, () =>
    operations.hasSubscribers
      ? operations.tracePromise(guarded, {
          component: 'messaging',
          connection: hub.site.id,
          operation: 'process',
          resource: handler.topic,
        })
      : guarded(),
  );
  return failed;
}

/** @throws HandlerTimeoutError when it takes too long; the signal's reason when it is aborted from outside */
async function inTime<T>(handler: Handler, abort: AbortController, work: () => Promise<T>): Promise<T> {
  const { signal } = abort;
  const timer = setTimeout(() => {
    const which = `The handler of "${handler.type}" in the group "${handler.group}"`;
    abort.abort(new HandlerTimeoutError(which, handler.timeoutMs));
  }, handler.timeoutMs);
  try {
    return await new Promise<T>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      work().then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(error: unknown): Failure['reason'] {
  if (error instanceof UnknownEventVersionError) return 'unknown-version';
  // An upcast that throws leaves data that nobody can read, however often it is tried.
  return error instanceof EventInvalidError ? 'invalid' : 'undecodable';
}
