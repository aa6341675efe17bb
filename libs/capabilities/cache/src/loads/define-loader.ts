import type { CachedLoader, Load, LoadContext, LoaderDefinition } from '../cache.js';
import type { TieredCache } from '../tiered-cache.js';

/** {@link Cache.define} over the namespace of the loader. */
export function defineLoader<Args extends readonly unknown[], T>(
  cache: TieredCache,
  definition: LoaderDefinition<Args, T>,
): CachedLoader<Args, T> {
  const { key, load, save } = definition;
  const loadOf =
    (args: Args): Load<T> =>
    (context: LoadContext) =>
      load(...([...args, context] as unknown as [...Args, LoadContext]));
  return {
    get: (...args) => cache.getOrSet(key(...args), loadOf(args), definition),
    refresh: (...args) => cache.refresh(key(...args), loadOf(args), definition),
    set: async (value, ...args) => {
      const name = key(...args);
      if (save) {
        // A load that runs while the source is written may see either: its value is refused by the one and replaced by the other.
        await cache.delete(name);
        await save(value, ...args);
      }
      await cache.set(name, value, definition);
    },
    delete: async (...args) => void (await cache.delete(key(...args))),
    clear: () => cache.clear(),
  };
}
