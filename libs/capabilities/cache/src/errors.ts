import { ErrorSpec, InfraError } from '@core-infra/kernel';

/** A number as it is; of anything else what it is, as it may be somebody's data. */
function described(given: unknown): string {
  if (typeof given === 'number') return String(given);
  if (given === '') return 'an empty string';
  return given === null ? 'null' : `a value of type ${typeof given}`;
}

@ErrorSpec({ code: 'INFRA_CACHE_KEY', summary: 'A cache was asked for a key that is empty or not text.' })
export class InvalidCacheKeyError extends InfraError {
  constructor(what: string, given: unknown) {
    super(
      `${what} of a cache is text of at least one character, and this was ${described(given)}.`,
      'Make it with String(id).',
    );
  }
}

@ErrorSpec({ code: 'INFRA_CACHE_OPTION', summary: 'An option of a cache call is out of its range.' })
export class InvalidCacheOptionError extends InfraError {
  constructor(
    readonly field: string,
    expected: string,
    given: unknown,
  ) {
    super(
      `${field} is ${expected}, and this was ${described(given)}.`,
      `Correct ${field}, or leave it out for the configured value.`,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_CACHE_LOAD_TIMEOUT',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'A loader did not end within hardTimeoutMs, and there was no stale value to serve.',
})
export class LoadTimeoutError extends InfraError {
  constructor(readonly hardTimeoutMs: number) {
    super(
      `A load for the cache did not end within ${hardTimeoutMs} ms.`,
      'Make the loader faster or let it end at its signal; or raise hardTimeoutMs (CACHE_HARD_TIMEOUT_MS).',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_CACHE_LOAD_CYCLE',
  summary: 'A loader of the cache asked for the entry that it was loading, itself or through other loaders.',
})
export class LoadCycleError extends InfraError {
  /** @param path of the namespace; the key may be personal data */
  constructor(path: string) {
    const where = path === '' ? 'outside of any namespace' : `in the namespace "${path}"`;
    super(
      `The loader of an entry ${where} waits for that entry, itself or through the loaders of others, and would never end.`,
      'Let the loader read from the source of its value, and ask the cache for entries that are made without this one.',
    );
  }
}
