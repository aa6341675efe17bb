import type { Cache, GetOrSetOptions } from '../cache.js';
import { argumentKey } from './argument-key.js';
import { type AsyncMethod, type Fits, nameOf, type OfAny, wrapMethod } from './wired-cache.js';

export interface CachedOptions<Key = OfAny<string>, Tags = OfAny<readonly string[]>> extends Omit<
  GetOrSetOptions,
  'tags'
> {
  /** The namespace, which `@CacheEvict` names too. @default the class of the object and the method, `OrdersService.find` */
  name?: string;
  /** Made of the arguments. @default their JSON, where they are plain data; else the call is an error */
  key?: Key;
  /** Tags, or how they are made of the arguments. */
  tags?: readonly string[] | Tags;
  /** Name of the cache. @default the one that the module's plain `Cache` is */
  cache?: string;
}

/**
 * What a method resolves with is cached, as {@link Cache.getOrSet} does: concurrent calls share one load, the method's own error is the caller's.
 * The class must be instantiated by Nest.
 * @throws NoCacheKeyError at a call whose arguments make no key
 */
export function Cached<
  Key extends OfAny<string> = OfAny<string>,
  Tags extends OfAny<readonly string[]> = OfAny<readonly string[]>,
>(options: CachedOptions<Key, Tags> = {}) {
  const { name, key, tags, cache: connection = 'default', ...entry } = options;
  return <M extends AsyncMethod>(
    target: object,
    propertyKey: string | symbol,
    descriptor: TypedPropertyDescriptor<M> & Fits<Key, M> & Fits<Tags, M>,
  ): TypedPropertyDescriptor<M> => {
    const spaces = new WeakMap<object, Cache>();
    const method = nameOf(target, propertyKey);
    return wrapMethod<M>(target, propertyKey, descriptor, connection, async (cache, self, args, proceed) => {
      let space = spaces.get(self);
      // The object's own class: what a base class declares is not shared by all that extend it.
      if (!space) spaces.set(self, (space = cache.namespace(name ?? nameOf(self, propertyKey))));
      const tagged = typeof tags === 'function' ? tags(...(args as never[])) : tags;
      return space.getOrSet(key ? key(...(args as never[])) : argumentKey(method, args), proceed, {
        ...entry,
        ...(tagged && { tags: tagged }),
      });
    });
  };
}
