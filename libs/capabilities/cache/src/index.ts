export {
  Cache,
  type CachedLoader,
  type EntryOptions,
  type GetOrSetOptions,
  type Load,
  type LoadContext,
  type LoaderDefinition,
} from './cache.js';
