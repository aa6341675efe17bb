import { types } from 'node:util';
import type { Carries } from '../faithful.js';

/** One way to write values as bytes. */
export interface Serialiser {
  readonly carries: Carries;
  /** @param value one in which nothing would be lost */
  write(value: unknown): Buffer;
  /** May throw whatever it likes on bytes that it did not write. */
  read(bytes: Buffer): unknown;
}

/**
 * The value with instances of classes as plain objects, and what states its own form (`toJSON`) in that form: serialisers that look at classes would
 * otherwise leave out what is inside of them.
 */
export function plain(value: unknown, seen: Map<object, unknown> = new Map()): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (types.isDate(value) || types.isRegExp(value) || types.isNativeError(value) || ArrayBuffer.isView(value))
    return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const copyInto = <T extends object>(copy: T): T => {
    seen.set(value, copy);
    return copy;
  };
  if (Array.isArray(value)) {
    const copy = copyInto<unknown[]>([]);
    for (const item of value) copy.push(plain(item, seen));
    return copy;
  }
  if (types.isSet(value)) {
    const copy = copyInto(new Set<unknown>());
    for (const item of value) copy.add(plain(item, seen));
    return copy;
  }
  if (types.isMap(value)) {
    const copy = copyInto(new Map<unknown, unknown>());
    for (const [key, item] of value) copy.set(plain(key, seen), plain(item, seen));
    return copy;
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function' && !(value instanceof URL))
    return plain((value as { toJSON(): unknown }).toJSON(), seen);
  const copy = copyInto<Record<string, unknown>>({});
  for (const [key, item] of Object.entries(value)) copy[key] = plain(item, seen);
  return copy;
}
