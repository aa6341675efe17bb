import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_CACHED_NOT_WIRED',
  summary: '@Cached or @CacheEvict is on a class that Nest did not instantiate.',
})
export class CachedNotWiredError extends InfraError {
  constructor(readonly method: string) {
    super(
      `${method} is @Cached or @CacheEvict, and its object was not made by Nest.`,
      'Let Nest inject it, or call cache.getOrSet(…) in place of the decorator.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_CACHE_NO_KEY',
  summary: 'A @Cached method without a key function was called with an argument that makes no key.',
})
export class NoCacheKeyError extends InfraError {
  constructor(
    readonly method: string,
    readonly argument: number,
    readonly what: string,
  ) {
    super(
      `${method} is cached by its arguments, and argument ${argument + 1} contains ${what}.`,
      'Say what the key is: @Cached({ key: (…) => … }).',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_CACHE_EVICT_NOTHING',
  summary: '@CacheEvict names nothing that it evicts.',
})
export class EvictNothingError extends InfraError {
  constructor(readonly method: string) {
    super(`@CacheEvict on ${method} evicts nothing.`, 'Give it a key, a prefix, tags, or all: true.');
  }
}
