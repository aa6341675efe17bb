import { types } from 'node:util';

/** What a serialiser carries besides plain objects, arrays, text, finite numbers, booleans and null. */
export interface Carries {
  readonly bigint?: boolean;
  readonly mapAndSet?: boolean;
  readonly bytes?: boolean;
  readonly nonFinite?: boolean;
  readonly undefinedInArrays?: boolean;
  readonly regExpAndUrlAndError?: boolean;
}

/** The first thing in a value that would not come back. */
export interface Loss {
  readonly path: string;
  readonly reason: string;
}

/**
 * What a serialiser would drop or change without a word; nothing for what states its own form (`toJSON`), nor for the class of an object, nor for a
 * property that is `undefined`.
 * @param seen objects that are not looked at again, for a value that may have cycles
 */
export function lossIn(value: unknown, carries: Carries, seen?: Set<object>): Loss | undefined {
  const loss = value === undefined ? lost('is undefined') : look(value, carries, seen);
  return loss && { path: `$${loss.path}`, reason: loss.reason };
}

/** Paths are put together on the way back: nearly always there is none. */
function lost(reason: string): Loss {
  return { path: '', reason };
}

function within(step: string, { path, reason }: Loss): Loss {
  return { path: step + path, reason };
}

function look(value: unknown, carries: Carries, seen: Set<object> | undefined): Loss | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return carries.nonFinite || Number.isFinite(value) ? undefined : lost(`is ${value}`);
    case 'bigint':
      return carries.bigint ? undefined : lost('is a BigInt');
    case 'undefined':
      return carries.undefinedInArrays ? undefined : lost('is undefined');
    case 'function':
    case 'symbol':
      return lost(`is a ${typeof value}`);
    default:
      if (value === null || seen?.has(value!)) return undefined;
      seen?.add(value!);
      return lookInto(value!, carries, seen);
  }
}

function lookInto(value: object, carries: Carries, seen: Set<object> | undefined): Loss | undefined {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const loss = look(value[index], carries, seen);
      if (loss) return within(`[${index}]`, loss);
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const special = lookAtBuiltIn(value, carries, seen);
    if (special !== 'an object') return special;
  }
  return lookAtProperties(value as Record<string, unknown>, carries, seen);
}

function lookAtProperties(
  value: Record<string, unknown>,
  carries: Carries,
  seen: Set<object> | undefined,
): Loss | undefined {
  for (const key of Object.keys(value)) {
    const inner = value[key];
    if (key === '__proto__' || (key === 'constructor' && isObject(inner) && Object.hasOwn(inner, 'prototype')))
      return lost(`has a property "${key}", which could reach into prototypes`);
    const loss = inner === undefined ? undefined : look(inner, carries, seen);
    if (loss) return within(`.${key}`, loss);
  }
  return undefined;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** `'an object'` stands for an instance of some class, which is cached as a plain object. */
function lookAtBuiltIn(value: object, carries: Carries, seen: Set<object> | undefined): Loss | 'an object' | undefined {
  const unless = (carried: boolean | undefined, what: string): Loss | undefined =>
    carried ? undefined : lost(`is ${what}`);
  if (types.isDate(value)) return unless(!Number.isNaN(value.getTime()), 'a Date that is invalid');
  if (types.isMap(value) || types.isSet(value)) {
    if (!carries.mapAndSet) return lost(`is a ${types.isMap(value) ? 'Map' : 'Set'}`);
    return look([...(value as Iterable<unknown>)], carries, seen);
  }
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value))
    return unless(carries.bytes && value instanceof Uint8Array, 'bytes');
  if (types.isRegExp(value)) return unless(carries.regExpAndUrlAndError, 'a RegExp');
  if (types.isNativeError(value)) return unless(carries.regExpAndUrlAndError, 'an Error');
  if (value instanceof URL) return undefined;
  if (types.isPromise(value)) return unless(false, 'a Promise');
  if (types.isWeakMap(value) || types.isWeakSet(value)) return unless(false, 'a WeakMap or WeakSet');
  return typeof (value as { toJSON?: unknown }).toJSON === 'function' ? undefined : 'an object';
}
