import { connectionToken } from '@core-infra/kernel';
import { Inject, type InjectionToken } from '@nestjs/common';
import { Cache } from '../cache.js';
import { CachedNotWiredError } from './errors.js';

/** Only what returns a promise can be waited for. */
export type AsyncMethod = (...args: never[]) => Promise<unknown>;

/** `unknown` when the function can be called with the method's arguments, else `never`. */
export type Fits<F, M extends AsyncMethod> = F extends (...args: Parameters<M>) => unknown ? unknown : never;

/** A function of the arguments of any method. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type OfAny<T> = (...args: any[]) => T;

type Around = (cache: Cache, self: object, args: unknown[], proceed: () => Promise<unknown>) => Promise<unknown>;

/**
 * Puts `around` about a method. Nest injects the cache into a property of the object: no global state, and a module's own connection where it has one.
 */
export function wrapMethod<M extends AsyncMethod>(
  target: object,
  propertyKey: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
  connection: string,
  around: Around,
): TypedPropertyDescriptor<M> {
  const original = descriptor.value!;
  const key = injected(target, connection);
  // A proxy keeps the name and the parameters of the method, which other decorators and Nest read.
  const wrapped = new Proxy(original, {
    apply: async (method, self: Record<symbol, Cache | undefined> | undefined, args: unknown[]) => {
      const cache = self?.[key];
      if (!cache || !self) throw new CachedNotWiredError(nameOf(target, propertyKey));
      return around(cache, self, args, () => Reflect.apply(method, self, args as never[]));
    },
  });
  for (const name of Reflect.getMetadataKeys(original) as unknown[])
    Reflect.defineMetadata(name, Reflect.getMetadata(name, original), wrapped);
  descriptor.value = wrapped;
  return descriptor;
}

export function nameOf(target: object, propertyKey: string | symbol): string {
  return `${target.constructor.name}.${String(propertyKey)}`;
}

const wired = new WeakMap<object, Set<symbol>>();

/** The property that holds the cache; its name is what Nest prints when there is none. A class with several such methods needs it once. */
function injected(target: object, connection: string): symbol {
  const key = Symbol.for(`Cache "${connection}", for @Cached and @CacheEvict: import CacheModule`);
  const token = connection === 'default' ? Cache : connectionToken('cache', connection);
  const keys = wired.get(target) ?? new Set();
  if (!keys.has(key)) Inject(token as InjectionToken)(target, key);
  wired.set(target, keys.add(key));
  return key;
}
