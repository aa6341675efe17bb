import type { OutgoingMessage } from '../driver/message.js';
import { checkAttributes } from '../events/attributes.js';
import { checkData, checkReadable } from '../events/check-data.js';
import type { CloudEvent } from '../events/cloud-event.js';
import { EventIds } from '../events/event-ids.js';
import type { DomainEvent, EventDefinition } from '../events/event-definition.js';
import {
  EventTooLargeError,
  OutsideTransactionError,
  PublishFailedError,
  ScheduleUnsupportedError,
} from '../errors.js';
import { EventBus, type PublishOptions } from './event-bus.js';
import type { MessagingHub } from './messaging-hub.js';
import { Patience } from './patience.js';

interface Instant {
  readonly time: number;
  readonly text: string;
}

/** The {@link EventBus} of a driver. */
export class Publisher extends EventBus {
  /** Definitions of which an event was found to be readable. */
  private readonly proven = new WeakSet<EventDefinition>();

  /** What the events of the last millisecond had in common: many share one. */
  private instant = instantOf(0);
  private readonly ids = new EventIds();
  private readonly patience: Patience;

  constructor(private readonly hub: MessagingHub) {
    super();
    this.patience = new Patience(hub.config.publishTimeoutMs);
  }

  override publish(event: DomainEvent, options?: PublishOptions): Promise<void> {
    return this.hand([event], 'event', options);
  }

  override publishBatch(events: readonly DomainEvent[], options?: PublishOptions): Promise<void> {
    return this.hand(events, 'event', options);
  }

  override async schedule(event: DomainEvent, at: Date, options?: PublishOptions): Promise<void> {
    const notBefore = at instanceof Date ? at.getTime() : Number.NaN;
    if (Number.isNaN(notBefore)) throw new TypeError('schedule: give it a valid Date.');
    return this.hand([event], 'event', options, notBefore);
  }

  override send(event: DomainEvent, options?: PublishOptions): Promise<void> {
    return this.hand([event], 'task', options);
  }

  private async hand(
    events: readonly DomainEvent[],
    kind: OutgoingMessage['kind'],
    options: PublishOptions = {},
    notBefore?: number,
  ): Promise<void> {
    options.signal?.throwIfAborted();
    if (events.length === 0) return;
    // All are made before one is handed over: a batch with an event that is not valid goes nowhere.
    const { outbox } = this.hub.stores;
    const { driver, config, site } = this.hub;
    const isLater = notBefore !== undefined && notBefore > site.clock.now();
    const messages = events.map(event => this.messageOf(event, kind, isLater ? notBefore : undefined));
    const isInTransaction = outbox?.isInTransaction ?? false;
    if (outbox && !isInTransaction && config.outsideTransaction === 'refuse')
      throw new OutsideTransactionError(events[0]!.definition.type);
    const keptTillThen = !isLater || driver.features.schedule;
    if (outbox && (isInTransaction || !keptTillThen))
      return this.patience.withOutbox(options, giveUp => outbox.write(messages, giveUp));
    if (!keptTillThen) throw new ScheduleUnsupportedError(driver.name);
    const { operations } = site;
    if (!operations.hasSubscribers) return this.toBroker(messages, options);
    return operations.tracePromise(() => this.toBroker(messages, options), {
      component: 'messaging',
      connection: site.id,
      operation: 'publish',
      resource: messages[0]!.topic,
    });
  }

  private async toBroker(messages: readonly OutgoingMessage[], options: PublishOptions): Promise<void> {
    const { driver } = this.hub;
    const results = await this.patience.withBroker(options, giveUp => driver.publish(messages, giveUp));
    if (results.every(error => error === undefined)) return;
    const failures = results.flatMap((error, index) => (error ? [{ index, error }] : []));
    if (failures.length > 0)
      throw messages.length === 1 ? failures[0]!.error : new PublishFailedError(failures, messages.length);
  }

  private instantOf(time: number): Instant {
    if (time !== this.instant.time) this.instant = instantOf(time);
    return this.instant;
  }

  private messageOf(given: DomainEvent, kind: OutgoingMessage['kind'], notBefore?: number): OutgoingMessage {
    if (!(given as DomainEvent | undefined)?.definition?.type)
      throw new TypeError('publish: give it what `of(…)` of an event made by defineEvent(…) returns.');
    const { definition, subject, headers = {}, time } = given;
    const { routes, site, config } = this.hub;
    const { type, version } = definition;
    const data = checkData(definition, given.data);
    const key = given.key ?? definition.key?.(data);
    checkAttributes(given, key);
    if (!this.proven.has(definition)) {
      routes.define(definition);
      checkReadable(definition, data);
      this.proven.add(definition);
    }
    const now = site.clock.now();
    const id = given.id ?? this.ids.next(now);
    const context = site.context.current;
    const event: CloudEvent = {
      id,
      source: routes.source,
      type,
      time: time?.toISOString() ?? this.instantOf(now).text,
      version,
      headers,
      data: given.data,
      ...(subject !== undefined && { subject }),
      ...(key !== undefined && { key }),
      ...(context && {
        correlationId: context.correlationId,
        causationId: context.requestId,
        ...(context.traceparent !== undefined && { traceparent: context.traceparent }),
        ...(context.tracestate !== undefined && { tracestate: context.tracestate }),
      }),
    };
    const { headers: encoded, body } = routes.codecOf(type).encode(event);
    const limit = Math.min(config.maxMessageBytes, this.hub.driver.features.maxBytes ?? Infinity);
    // Counted in full only where it may be too much: a character is 3 bytes at most.
    if (body.length + 3 * lengthOf(encoded) > limit) {
      const bytes = sizeOf(encoded, body);
      if (bytes > limit) throw new EventTooLargeError(type, bytes, limit);
    }
    return {
      id,
      topic: routes.topicOf(type),
      headers: encoded,
      body,
      kind,
      ...(key !== undefined && { key }),
      ...(notBefore !== undefined && { notBefore }),
    };
  }
}

function instantOf(time: number): Instant {
  return { time, text: new Date(time).toISOString() };
}

/** How many characters headers have. */
function lengthOf(headers: Readonly<Record<string, string>>): number {
  let length = 0;
  for (const name in headers) length += name.length + headers[name]!.length;
  return length;
}

function sizeOf(headers: Readonly<Record<string, string>>, body: Buffer): number {
  let bytes = body.length;
  for (const name in headers) bytes += name.length + Buffer.byteLength(headers[name]!);
  return bytes;
}
