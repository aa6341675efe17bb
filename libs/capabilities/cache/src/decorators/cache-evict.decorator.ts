import type { Cache } from '../cache.js';
import { EvictNothingError } from './errors.js';
import { type AsyncMethod, type Fits, nameOf, type OfAny, wrapMethod } from './wired-cache.js';

type Texts = string | readonly string[];

/** What is evicted: at least one of key, prefix, tags and all. */
export interface CacheEvictOptions<Key = OfAny<Texts>, Prefix = OfAny<string>, Tags = OfAny<Texts>> {
  /** The namespace, as `@Cached` names it. */
  name: string;
  /** One key or several, made of the arguments. */
  key?: Key;
  /** All keys that begin so. */
  prefix?: string | Prefix;
  /** All entries with one of these tags. */
  tags?: Texts | Tags;
  /** Everything in the namespace. @default false */
  all?: boolean;
  /**
   * `after` the method has resolved, and not when it rejects; or `before` it is called. Inside of a transaction that goes on after the method, others
   * can load the old value again before it commits: evict from `transactions.onCommit(…)` there. @default 'after'
   */
  when?: 'after' | 'before';
  /** Name of the cache. @default the one that the module's plain `Cache` is */
  cache?: string;
}

/** Evicts entries when a method is called. The class must be instantiated by Nest. */
export function CacheEvict<
  Key extends OfAny<Texts> = OfAny<Texts>,
  Prefix extends OfAny<string> = OfAny<string>,
  Tags extends OfAny<Texts> = OfAny<Texts>,
>(options: CacheEvictOptions<Key, Prefix, Tags>) {
  const { name, key, prefix, tags, all, when = 'after', cache: connection = 'default' } = options;
  const made = <T>(from: T | OfAny<T>, args: unknown[]): T =>
    typeof from === 'function' ? (from as OfAny<T>)(...args) : from;
  const evict = async (cache: Cache, args: unknown[]): Promise<void> => {
    const space = cache.namespace(name);
    if (all) await space.clear();
    if (key) await space.deleteMany([key(...args)].flat());
    if (prefix !== undefined) await space.clearPrefix(made<string>(prefix, args));
    if (tags !== undefined) await space.deleteByTag(...[made<Texts>(tags, args)].flat());
  };
  return <M extends AsyncMethod>(
    target: object,
    propertyKey: string | symbol,
    descriptor: TypedPropertyDescriptor<M> & Fits<Key, M> & Fits<Prefix, M> & Fits<Tags, M>,
  ): TypedPropertyDescriptor<M> => {
    if (!all && !key && prefix === undefined && tags === undefined)
      throw new EvictNothingError(nameOf(target, propertyKey));
    return wrapMethod<M>(target, propertyKey, descriptor, connection, async (cache, _self, args, proceed) => {
      if (when === 'before') await evict(cache, args);
      const result = await proceed();
      if (when === 'after') await evict(cache, args);
      return result;
    });
  };
}
