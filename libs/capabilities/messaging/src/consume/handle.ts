import { type ContextInput, RequestContext } from '@core-infra/kernel';
import type { MessagingHub } from '../bus/messaging-hub.js';
import type { CloudEvent } from '../events/cloud-event.js';
import { tell } from '../events/messaging-events.js';
import { BatchResult } from '../handlers/batch-result.js';
import type { Handler } from '../handlers/handler.js';
import { MessageContext } from '../handlers/message-context.js';
import type { Limit } from './limit.js';
import type { Failure, Work } from './work.js';

/**
 * Has one event handled, once where there is an inbox. Nearly every message comes this way: no promise is made but what is waited for.
 * @returns the error that the handler names for it, if it does
 */
export function handleOne(
  hub: MessagingHub,
  handler: Handler,
  work: Work,
  event: CloudEvent,
  limit: Limit,
): Promise<Failure | undefined> {
  if (handler.batch || (hub.stores.inbox && handler.idempotent))
    return handleAll(hub, handler, [work], [event], [0], limit).then(failureOf);
  const context = new MessageContext([event], [work.message], handler.group, work.attempts + 1, limit);
  return inContext(hub, handler, event, limit, () => handler.call(event.data, context)).then(failureIn);
}

function failureIn(result: unknown): Failure | undefined {
  if (!(result instanceof BatchResult)) return undefined;
  const failed = new Map<number, unknown>();
  addFailures(failed, result, [0]);
  return failureOf(failed);
}

function failureOf(failed: ReadonlyMap<number, unknown>): Failure | undefined {
  return failed.has(0) ? { error: failed.get(0) } : undefined;
}

/**
 * Has events handled that came together.
 * @param valid places of those that are fit to be
 * @returns those that have failed, by their place
 */
export async function handleAll(
  hub: MessagingHub,
  handler: Handler,
  works: readonly Work[],
  events: readonly CloudEvent[],
  valid: readonly number[],
  limit: Limit,
): Promise<ReadonlyMap<number, unknown>> {
  const failed = new Map<number, unknown>();
  const handle = async (places: readonly number[]): Promise<void> => {
    const own = places.map(at => events[at]!);
    const tries = Math.max(...places.map(at => works[at]!.attempts)) + 1;
    const messages = places.map(at => works[at]!.message);
    const context = new MessageContext(own, messages, handler.group, tries, limit);
    const result = await handler.call(handler.batch ? own.map(({ data }) => data) : own[0]!.data, context);
    if (result instanceof BatchResult) addFailures(failed, result, places);
  };
  const { inbox } = hub.stores;
  const guarded = async (): Promise<void> => {
    if (!inbox || !handler.idempotent) return handle(valid);
    const ids = valid.map(at => `${events[at]!.source}#${events[at]!.id}`);
    const repeated = await inbox.once(
      handler.group,
      ids,
      async fresh => {
        failed.clear(); // the transaction is run again after a serialisation failure
        const places = fresh.map(at => valid[at]!);
        // Without a transaction there is nothing to give back, and who is still at work is still at work.
        await (inbox.isTransactional ? endedBy(limit.signal, handle(places)) : handle(places));
        const behind = handler.mode === 'fast' ? new Set() : behindFailed(failed, places, works);
        // What is recorded is not handled again, and may not be done before what has failed.
        if (behind.size > 0 && inbox.isTransactional) throw new Error('Something is done behind what has failed.');
        return fresh.filter(at => failed.has(valid[at]!) || behind.has(valid[at]!));
      },
      limit,
    );
    if (repeated.length > 0)
      tell(hub.site, { kind: 'repeated', group: handler.group, topic: handler.topic, messages: repeated.length });
    return undefined;
  };
  await inContext(hub, handler, events[valid[0]!]!, limit, guarded);
  return failed;
}

function addFailures(failed: Map<number, unknown>, { failures }: BatchResult, places: readonly number[]): void {
  for (const [at, error] of failures) {
    if (places[at] === undefined)
      throw new TypeError(`BatchResult names the place ${at} of a batch of ${places.length} events.`);
    failed.set(places[at], error);
  }
}

/** A handler that hangs must not keep its transaction, and with it a connection, for longer than its attempt. */
function endedBy(signal: AbortSignal, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** What did not fail, and is behind what did, of a key in order. */
function behindFailed(
  failed: ReadonlyMap<number, unknown>,
  places: readonly number[],
  works: readonly Work[],
): ReadonlySet<number> {
  const behind = new Set<number>();
  if (failed.size === 0) return behind;
  const keys = new Set<string>();
  for (const at of places) {
    const { key, redelivered, topic, partition } = works[at]!.message;
    if (key === undefined || redelivered) continue;
    const lane = `${topic}/${partition}/${key}`;
    if (failed.has(at)) keys.add(lane);
    else if (keys.has(lane)) behind.add(at);
  }
  return behind;
}

/** Runs the handler as part of what its event belongs to, and as an operation that traces and metrics see. */
function inContext<T>(
  hub: MessagingHub,
  handler: Handler,
  { id, correlationId, traceparent, tracestate }: CloudEvent,
  limit: Limit,
  work: () => Promise<T>,
): Promise<T> {
  const { operations, context, clock } = hub.site;
  const told = operations.hasSubscribers
    ? () =>
        operations.tracePromise(work, {
          component: 'messaging',
          connection: hub.site.id,
          operation: 'process',
          resource: handler.topic,
        })
    : work;
  // Nobody would see the fields.
  if (context === RequestContext.none) return told();
  const fields: ContextInput = {
    requestId: id,
    correlationId: correlationId ?? id,
    deadline: clock.now() + handler.timeoutMs,
    signal: signalOf(limit),
  };
  if (traceparent !== undefined) fields.traceparent = traceparent;
  if (tracestate !== undefined) fields.tracestate = tracestate;
  return context.run(fields, told);
}

/** Knows nothing but the limit: a timer that a handler leaves behind has its context kept, and must not keep what it handled. */
function signalOf(limit: Limit): () => AbortSignal {
  return () => limit.signal;
}
