import { isUtf8 } from 'node:buffer';
import type { DeadLetter, DeadReason } from '../stores/dead-letters.js';

/** A dead letter as JSON: its body as text where it is text, else in base64. */
export interface LetterView {
  readonly id: string;
  readonly group: string;
  readonly topic: string;
  readonly key?: string;
  readonly event: string;
  readonly reason: DeadReason;
  readonly error: DeadLetter['error'];
  readonly partition: number;
  readonly position: number;
  readonly attempts: number;
  readonly firstAttemptAt: string;
  readonly lastAttemptAt: string;
  readonly traceId?: string;
  readonly bytes: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bodyEncoding?: 'utf8' | 'base64';
}

export function summaryOf(letter: DeadLetter): LetterView {
  const { id, group, message, reason, error, partition, position, attempts, traceId } = letter;
  return {
    id,
    group,
    topic: message.topic,
    ...(message.key !== undefined && { key: message.key }),
    event: message.id,
    reason,
    error: { name: error.name, message: error.message, ...(error.code !== undefined && { code: error.code }) },
    partition,
    position,
    attempts,
    firstAttemptAt: new Date(letter.firstAttemptAt).toISOString(),
    lastAttemptAt: new Date(letter.lastAttemptAt).toISOString(),
    ...(traceId !== undefined && { traceId }),
    bytes: message.body.length,
  };
}

/** With everything that came. */
export function wholeOf(letter: DeadLetter): LetterView {
  const { headers, body } = letter.message;
  const bodyEncoding = isUtf8(body) ? 'utf8' : 'base64';
  return { ...summaryOf(letter), error: letter.error, headers, body: body.toString(bodyEncoding), bodyEncoding };
}
