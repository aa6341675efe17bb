import type { ConfigShape } from './fields.js';

/** A copy of plain data, so that what was given in code stays its owner's; classes, buffers and functions in it are the same. */
export function copyPlain<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => copyPlain(item)) as T;
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyPlain(item)])) as T;
}

/** Freezes a configuration with its groups, and the lists and records in it. Objects with a life of their own stay as they are. */
export function freezeConfig<C extends object>(config: C, { groups }: ConfigShape): C {
  const nodes = [...groups.keys()].map(path =>
    path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], config),
  );
  for (const node of [...nodes, config]) {
    if (typeof node !== 'object' || node === null) continue;
    for (const value of Object.values(node)) freezePlain(value);
    Object.freeze(node);
  }
  return config;
}

function freezePlain(value: unknown): void {
  if (!Array.isArray(value) && !isRecord(value)) return;
  for (const item of Object.values(value)) freezePlain(item);
  Object.freeze(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
