import { isUtf8 } from 'node:buffer';
import { EventInvalidError, EventUndecodableError } from '../errors.js';
import type { ReadableMessage } from './codec.js';

/** @throws EventInvalidError when the value cannot be written as JSON */
export function jsonText(type: string, value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    const problem =
      error instanceof TypeError && /circular|cyclic/i.test(error.message) ? 'it refers to itself' : error;
    throw new EventInvalidError(type, { '': `cannot be written as JSON: ${problemOf(problem)}` });
  }
  if (text === undefined) throw new EventInvalidError(type, { '': 'cannot be written as JSON' });
  return text;
}

const problemOf = (problem: unknown): string =>
  problem instanceof Error ? problem.message.slice(0, 200) : String(problem);

/** @throws EventUndecodableError when the body is not JSON in UTF-8 */
export function jsonBody(message: ReadableMessage): unknown {
  if (message.body.length === 0) return undefined;
  try {
    if (!isUtf8(message.body)) throw new TypeError('It is not UTF-8.');
    const given = message.body.toString();
    const text = given.charCodeAt(0) === byteOrderMark ? given.slice(1) : given;
    // Rare enough to be paid for only when it may be there: a field that would reach prototypes when the data is copied.
    return JSON.parse(text, text.includes('__proto__') || text.includes('\\u00') ? withoutProto : undefined) as unknown;
  } catch (error) {
    throw new EventUndecodableError(message.topic, 'its body is not JSON in UTF-8', { cause: error });
  }
}

const byteOrderMark = 0xfeff;

/** Leaves fields out by which strangers could change prototypes. */
function withoutProto(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__'))
    delete (value as Record<string, unknown>)['__proto__'];
  return value;
}

/** Copies what an object may be given by strangers: `__proto__` and `constructor` would reach others. */
export function ownHeaders(
  headers: Readonly<Record<string, string>>,
  skip: (name: string) => boolean,
): Record<string, string> {
  const copied: Record<string, string> = {};
  for (const name in headers) if (name !== '__proto__' && !skip(name)) copied[name] = headers[name]!;
  return copied;
}

/** @throws EventUndecodableError when it is said, and is no version */
export function versionOf(message: ReadableMessage, text: string | undefined, unsaid: number): number {
  if (text === undefined) return unsaid;
  const version = Number(text);
  if (!Number.isSafeInteger(version) || version < 1)
    throw new EventUndecodableError(message.topic, 'the version of its data is no whole number from 1');
  return version;
}
