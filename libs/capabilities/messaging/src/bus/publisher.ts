import type { OutgoingMessage } from '../driver/message.js';
import { checkAttributes } from '../events/attributes.js';
import { checkData } from '../events/check-data.js';
import type { CloudEvent } from '../events/cloud-event.js';
import { uuidV7 } from '../events/event-ids.js';
import type { DomainEvent } from '../events/event-definition.js';
import {
  EventTooLargeError,
  OutsideTransactionError,
  PublishFailedError,
  PublishTimeoutError,
  ScheduleUnsupportedError,
} from '../errors.js';
import { EventBus, type PublishOptions } from './event-bus.js';
import type { MessagingHub } from './messaging-hub.js';

/** The {@link EventBus} of a driver. */
export class Publisher extends EventBus {
  constructor(private readonly hub: MessagingHub) {
    super();
  }

  override publish(event: DomainEvent, options?: PublishOptions): Promise<void> {
    return this.hand([event], 'event', options);
  }

  override publishBatch(events: readonly DomainEvent[], options?: PublishOptions): Promise<void> {
    return this.hand(events, 'event', options);
  }

  override schedule(event: DomainEvent, at: Date, options?: PublishOptions): Promise<void> {
    const notBefore = at.getTime();
    if (Number.isNaN(notBefore)) return Promise.reject(new TypeError('schedule: the date is not valid.'));
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
    const messages = events.map(event => this.messageOf(event, kind, notBefore));
    const { outbox } = this.hub.stores;
    const { driver, config, site } = this.hub;
    const keptTillThen = notBefore === undefined || notBefore <= site.clock.now() || driver.features.schedule;
    if (outbox?.isInTransaction || (outbox && !keptTillThen)) return outbox.write(messages);
    if (outbox && config.outsideTransaction === 'refuse') throw new OutsideTransactionError(events[0]!.definition.type);
    if (!keptTillThen) throw new ScheduleUnsupportedError(driver.name);
    await this.toBroker(messages, options);
  }

  private async toBroker(messages: readonly OutgoingMessage[], { signal, timeoutMs }: PublishOptions): Promise<void> {
    const { driver, config, site } = this.hub;
    const limit = timeoutMs ?? config.publishTimeoutMs;
    const giveUp = new AbortController();
    const abort = (): void => giveUp.abort(signal!.reason);
    const late = new PublishTimeoutError(limit);
    const timer = setTimeout(() => giveUp.abort(late), limit);
    signal?.addEventListener('abort', abort, { once: true });
    const call = async (): Promise<void> => {
      const results = await Promise.race([driver.publish(messages, giveUp.signal), rejection(giveUp.signal)]);
      const failures = results.flatMap((error, index) => (error ? [{ index, error }] : []));
      if (failures.length > 0)
        throw messages.length === 1 ? failures[0]!.error : new PublishFailedError(failures, messages.length);
    };
    try {
      const { operations } = site;
      if (!operations.hasSubscribers) await call();
      else
        await operations.tracePromise(call, {
          component: 'messaging',
          connection: site.id,
          operation: 'publish',
          resource: messages[0]!.topic,
        });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  private messageOf(given: DomainEvent, kind: OutgoingMessage['kind'], notBefore?: number): OutgoingMessage {
    const { definition, subject, headers = {}, time } = given;
    const { routes, site, config } = this.hub;
    const { type, version } = definition;
    const data = checkData(definition, given.data);
    const key = given.key ?? definition.key?.(data);
    checkAttributes(given, key);
    const now = site.clock.now();
    const id = given.id ?? uuidV7(now);
    const context = site.context.current;
    const event: CloudEvent = {
      id,
      source: routes.source,
      type,
      time: (time ?? new Date(now)).toISOString(),
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
    const bytes = sizeOf(encoded, body);
    const limit = Math.min(config.maxMessageBytes, this.hub.driver.features.maxBytes ?? Infinity);
    if (bytes > limit) throw new EventTooLargeError(type, bytes, limit);
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

function sizeOf(headers: Readonly<Record<string, string>>, body: Buffer): number {
  let bytes = body.length;
  for (const name in headers) bytes += name.length + Buffer.byteLength(headers[name]!);
  return bytes;
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
