import { isUtf8 } from 'node:buffer';
import type { WireMessage } from '../../driver/message.js';
import { isTexts } from '../../driver/texts.js';

/** A message as it stands in a job's `data`, legible wherever it can be. */
interface JobData {
  readonly id: string;
  readonly topic: string;
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The body, where it is no text. */
  readonly base64?: string;
  readonly attempts?: number;
  readonly firstAttemptAt?: number;
  readonly redelivered?: true;
}

/** What a job says beside its message. */
export interface JobState {
  readonly attempts?: number;
  readonly firstAttemptAt?: number;
  readonly redelivered?: true;
}

/** Escapes of what `jsonb` refuses: NUL, and halves of surrogate pairs. */
const refused = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** Any value of JSON as text that `jsonb` takes. */
export function toJsonb(value: object): string {
  const json = JSON.stringify(value);
  if (!json.includes('\\u') || !refused.test(json)) return json;
  return JSON.stringify({ packed: Buffer.from(json).toString('base64') });
}

export function fromJsonb<Value extends object>(value: Value | { readonly packed: string }): Value {
  return 'packed' in value ? (JSON.parse(Buffer.from(value.packed, 'base64').toString()) as Value) : value;
}

export function encodeJob({ id, topic, key, headers, body }: WireMessage, state: JobState = {}): string {
  const isText = isUtf8(body) && !body.includes(0);
  return toJsonb({
    id,
    topic,
    headers,
    ...(key !== undefined && { key }),
    ...(isText ? { body: body.toString() } : { base64: body.toString('base64') }),
    ...state,
  } satisfies JobData);
}

/** What others have put into the queue comes as a message without headers, and its data as the body. */
export function decodeJob(
  { id, data }: { readonly id: string; readonly data: unknown },
  topic: string,
): WireMessage & JobState {
  const stored = storedOf(data);
  if (!stored) return { id, topic, headers: {}, body: Buffer.from(JSON.stringify(data)) };
  const { body, base64, ...rest } = stored;
  return { ...rest, topic, body: body === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(body) };
}

function storedOf(data: unknown): JobData | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  try {
    const stored = fromJsonb(data);
    return isOurs(stored) ? stored : undefined;
  } catch {
    return undefined; // packed by somebody else
  }
}

function isOurs(stored: Partial<Record<keyof JobData, unknown>>): stored is JobData {
  if (!isTexts(stored.headers) || typeof stored.id !== 'string') return false;
  const { key, body, base64, attempts, firstAttemptAt } = stored;
  const isNoText = (value: unknown): boolean => value !== undefined && typeof value !== 'string';
  const isNoNumber = (value: unknown): boolean => value !== undefined && typeof value !== 'number';
  return ![key, body, base64].some(isNoText) && ![attempts, firstAttemptAt].some(isNoNumber);
}
