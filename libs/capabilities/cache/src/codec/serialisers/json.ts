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

export const json: Serialiser = {
  carries: {},
  write: value => Buffer.from(JSON.stringify(value)),
  read: bytes => parseJson(bytes.toString()),
};
