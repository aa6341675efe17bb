import { InfraError } from '@core-infra/kernel';
import type { MessagingHub } from '../bus/messaging-hub.js';
import { uuidV7 } from '../events/event-ids.js';
import type { DeadLetter, DeadReason } from '../stores/dead-letters.js';
import { textOf } from './text-of.js';
import type { Work } from './work.js';

const traceId = /^[0-9a-f]{2}-([0-9a-f]{32})-/;

/** The dead letter of a message that a group gives up. */
export function deadLetterOf(
  hub: MessagingHub,
  group: string,
  work: Work,
  reason: DeadReason,
  error: unknown,
): DeadLetter {
  const { message, attempts, firstAttemptAt } = work;
  const { id, topic, key, headers, body, partition, position } = message;
  const now = hub.site.clock.now();
  const trace = traceId.exec(headers['ce_traceparent'] ?? headers['traceparent'] ?? '')?.[1];
  return {
    id: uuidV7(now),
    group,
    message: { id, topic, headers, body, ...(key !== undefined && { key }) },
    reason,
    error: described(error, hub.site.app.environment !== 'production'),
    partition,
    position,
    attempts,
    firstAttemptAt: firstAttemptAt ?? now,
    lastAttemptAt: now,
    ...(trace !== undefined && { traceId: trace }),
  };
}

function described(error: unknown, withStack: boolean): DeadLetter['error'] {
  if (!(error instanceof Error)) return { name: 'Error', message: textOf(error) };
  const code: unknown = error instanceof InfraError ? error.code : (error as { code?: unknown }).code;
  return {
    name: String(error.name).slice(0, 200),
    message: textOf(error),
    ...((typeof code === 'string' || typeof code === 'number') && { code: String(code) }),
    ...(withStack && error.stack !== undefined && { stack: error.stack.slice(0, 8_000) }),
  };
}
