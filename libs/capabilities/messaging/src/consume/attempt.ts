import type { MessagingHub } from '../bus/messaging-hub.js';
import type { CloudEvent } from '../events/cloud-event.js';
import { checkReceived } from '../events/check-data.js';
import { EventInvalidError, UnknownEventVersionError } from '../errors.js';
import { tell, messagingEvents } from '../events/messaging-events.js';
import type { Handler } from '../handlers/handler.js';
import { handleAll, handleOne } from './handle.js';
import type { Limit } from './limit.js';
import type { TimeLimits } from './time-limits.js';
import type { Failure, Work } from './work.js';

/** What became of an attempt: for each message its failure, if it has one. */
export interface Attempted {
  readonly failures: readonly (Failure | undefined)[];
  /** The handler failed as a whole, and did not say which messages are to blame. */
  readonly whole: boolean;
}

/**
 * One attempt of a handler with one message.
 * @param limit ends the attempt from outside; it has failed then
 * @param ended is called once, and never before this returns
 */
export function attemptOne(
  hub: MessagingHub,
  handler: Handler,
  work: Work,
  limit: Limit,
  limits: TimeLimits,
  ended: (failure: Failure | undefined) => void,
): void {
  let event: CloudEvent;
  try {
    event = checked(hub, handler, work);
  } catch (error) {
    queueMicrotask(() => ended({ error, reason: reasonOf(error) }));
    return;
  }
  const since = startOf(hub);
  let isOver = false;
  const end = (failure: Failure | undefined): void => {
    if (isOver) return;
    isOver = true;
    limit.onAbort = undefined;
    limits.end(limit);
    if (!failure) handled(hub, handler, 1, since);
    ended(failure);
  };
  const fail = (error: unknown): void => end({ error });
  limit.onAbort = fail;
  limits.begin(limit);
  try {
    handleOne(hub, handler, work, event, limit).then(end, fail);
  } catch (error) {
    queueMicrotask(() => fail(error));
  }
}

/**
 * One attempt of a handler with a batch. Never rejects.
 * @param limit ends the attempt from outside; it has failed then
 */
export async function attempt(
  hub: MessagingHub,
  handler: Handler,
  works: readonly Work[],
  limit: Limit,
  limits: TimeLimits,
): Promise<Attempted> {
  const failures: (Failure | undefined)[] = works.map(() => undefined);
  const events: CloudEvent[] = [];
  const valid: number[] = [];
  for (const [at, work] of works.entries()) {
    try {
      events[at] = checked(hub, handler, work);
      valid.push(at);
    } catch (error) {
      failures[at] = { error, reason: reasonOf(error) };
    }
  }
  if (valid.length === 0) return { failures, whole: false };
  const since = startOf(hub);
  limits.begin(limit);
  try {
    const failed = await new Promise<ReadonlyMap<number, unknown>>((resolve, reject) => {
      limit.onAbort = reject;
      handleAll(hub, handler, works, events, valid, limit).then(resolve, reject);
    });
    for (const [at, error] of failed) failures[at] = { error };
  } catch (error) {
    for (const at of valid) failures[at] = { error };
    return { failures, whole: valid.length > 1 };
  } finally {
    limits.end(limit);
  }
  handled(hub, handler, failures.filter(failure => !failure).length, since);
  return { failures, whole: false };
}

function checked(hub: MessagingHub, handler: Handler, { event }: Work): CloudEvent {
  const definition = handler.definition ?? hub.routes.definitionOf(handler.type);
  return definition ? checkReceived(definition, event!) : event!;
}

/** When an attempt began, if anybody wants to know. */
function startOf({ site: { clock } }: MessagingHub): number | undefined {
  return messagingEvents.hasSubscribers ? clock.monotonic() : undefined;
}

function handled({ site }: MessagingHub, handler: Handler, messages: number, since?: number): void {
  if (since === undefined) return;
  const { group, topic } = handler;
  tell(site, { kind: 'handled', group, topic, messages, durationMs: site.clock.monotonic() - since });
}

function reasonOf(error: unknown): Failure['reason'] {
  if (error instanceof UnknownEventVersionError) return 'unknown-version';
  // An upcast that throws leaves data that nobody can read, however often it is tried.
  return error instanceof EventInvalidError ? 'invalid' : 'undecodable';
}
