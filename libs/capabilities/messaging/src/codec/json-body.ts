import { EventUndecodableError } from '../errors.js';
import type { ReadableMessage } from './codec.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws EventUndecodableError when the body is not JSON in UTF-8 */
export function jsonBody(message: ReadableMessage): unknown {
  try {
    return JSON.parse(utf8.decode(message.body)) as unknown;
  } catch (error) {
    throw new EventUndecodableError(message.topic, 'its body is not JSON in UTF-8', { cause: error });
  }
}

/** Copies what an object may be given by strangers: `__proto__` and `constructor` would reach others. */
export function ownHeaders(
  headers: Readonly<Record<string, string>>,
  skip: (name: string) => boolean,
): Record<string, string> {
  const copied: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (name !== '__proto__' && !skip(name)) copied[name] = value;
  return copied;
}
