import { createHash } from 'node:crypto';
import { NoCacheKeyError } from './errors.js';

/** Longer keys are hashed. */
const MAX_PLAIN_KEY = 200;

/**
 * A key out of plain arguments: their JSON, with the properties of objects in order.
 * @throws NoCacheKeyError
 */
export function argumentKey(method: string, args: readonly unknown[]): string {
  const text = args
    .map((argument, index) => textOf(argument, problem => new NoCacheKeyError(method, index, problem), 0))
    .join(',');
  return text.length <= MAX_PLAIN_KEY ? text : createHash('sha256').update(text).digest('base64url');
}

function textOf(value: unknown, refuse: (what: string) => Error, depth: number): string {
  if (value === undefined || value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '0' : String(value);
  if (typeof value !== 'object') throw refuse(`a ${typeof value}`);
  if (depth > 16) throw refuse('a cycle, or something nested more than 16 deep');
  // `map` would leave out what a list has no item for.
  if (Array.isArray(value)) return `[${Array.from(value, item => textOf(item, refuse, depth + 1)).join(',')}]`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refuse(`an instance of ${value.constructor.name}`);
  const fields = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, item]) => `${JSON.stringify(name)}:${textOf(item, refuse, depth + 1)}`);
  return `{${fields.join(',')}}`;
}
