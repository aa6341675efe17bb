import type { Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
// @ts-expect-error -- the file has its types elsewhere
import { defaultMetadataStorage as untyped } from 'class-transformer/cjs/storage.js';

/** What class-transformer keeps of its decorators, by class. */
const { _typeMetadatas, _transformMetadatas, _exposeMetadatas, _excludeMetadatas } = untyped as unknown as Record<
  string,
  ReadonlyMap<unknown, unknown> | undefined
>;
const kept = [_typeMetadatas, _transformMetadatas, _exposeMetadatas, _excludeMetadatas];

/** Whether a class has none of its decorators; found out once. */
const undecorated = new WeakMap<Type, boolean>();

/** What `plainToInstance` makes of it; at once where no decorator has a say, and no value is an object itself. */
export function instanceOf<Data extends object>(schema: Type<Data>, data: object): Data {
  return quickly(schema, data as Record<string, unknown>) ?? plainToInstance(schema, data);
}

function quickly<Data extends object>(schema: Type<Data>, data: Record<string, unknown>): Data | undefined {
  let isPlain = undecorated.get(schema);
  if (isPlain === undefined) undecorated.set(schema, (isPlain = isUndecorated(schema)));
  if (!isPlain || Object.getPrototypeOf(data) !== Object.prototype) return undefined;
  const keys = Object.keys(data);
  const prototype = schema.prototype as object;
  for (const key of keys) {
    const value = data[key];
    // What has a getter or a method of the name is not written to.
    if ((typeof value === 'object' && value !== null) || typeof value === 'function') return undefined;
    if (key === '__proto__' || Object.hasOwn(prototype, key)) return undefined;
  }
  const made = new schema();
  if (made.constructor !== schema) return undefined;
  const instance = made as Record<string, unknown>;
  for (const key of keys) {
    if (typeof instance[key] === 'function') return undefined;
    instance[key] = data[key];
  }
  return made;
}

function isUndecorated(schema: Type): boolean {
  if (typeof schema !== 'function' || schema.prototype?.constructor !== schema) return false;
  for (let at: unknown = schema; typeof at === 'function' && at.prototype !== undefined; at = Object.getPrototypeOf(at))
    if (kept.some(metadatas => metadatas?.has(at) ?? true)) return false;
  return true;
}
