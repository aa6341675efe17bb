import { parse } from 'secure-json-parse';
import type { Serialiser } from './serialiser.js';

/** Text that could hold a key into prototypes, also an escaped one; nearly none does. */
function isSuspect(text: string): boolean {
  return text.includes('__proto__') || text.includes('constructor') || text.includes('\\u');
}

/** JSON of a store that others can write to. Throws on keys that reach into prototypes. */
export function parseJson(text: string): unknown {
  if (!isSuspect(text)) return JSON.parse(text);
  return parse(text, { protoAction: 'error', constructorAction: 'error' });
}

/** Throws on what has no JSON: a `toJSON` that returns nothing. */
export function stringify(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError('It has no JSON.');
  return text;
}

export const json: Serialiser = {
  carries: {},
  write: value => Buffer.from(stringify(value)),
  read: bytes => parseJson(bytes.toString()),
};
