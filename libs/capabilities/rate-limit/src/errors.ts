import { ErrorSpec, InfraError } from '@core-infra/kernel';

/** A limit that cannot be meant so. */
@ErrorSpec({ code: 'INFRA_RATE_LIMIT_INVALID', summary: 'A rate limit, or the cost of a request, makes no sense.' })
export class InvalidLimitError extends InfraError {
  constructor(
    /** Name of the limit, as it was given. */
    readonly limit: string,
    /** What is wrong: `name`, `windows[0].limit`, `cost`, … */
    readonly field: string,
    expected: string,
    got: unknown,
    fix: string,
  ) {
    super(`The rate limit ${limit} has ${field} = ${got as string}, where ${expected} is expected.`, fix);
  }
}

/** A caller has used up a limit: 429 with `limit` and `retry_after_ms`. */
@ErrorSpec({
  code: 'RATE_LIMITED',
  status: 429,
  fault: 'client',
  retryable: true,
  summary: 'A caller has used up a limit; details.limit names it, details.retry_after_ms says when to come back.',
})
export class RateLimitedError extends InfraError {
  /** `retryAfterMs` by the name that it has in answers; `null` when it never passes. */
  readonly retry_after_ms: number | null;
  override readonly retryable: boolean;

  constructor(
    /** Name of the limit. */
    readonly limit: string,
    /** When the same call would pass, in milliseconds; `Infinity` when it never will, as it costs more than the limit. */
    readonly retryAfterMs: number,
  ) {
    super('Too many requests');
    this.retryable = Number.isFinite(retryAfterMs);
    this.retry_after_ms = this.retryable ? retryAfterMs : null;
  }
}

/** Nobody can tell whether a limit is used up, and its policy is to let nothing pass then: 503. */
@ErrorSpec({
  code: 'INFRA_RATE_LIMIT_UNAVAILABLE',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'The store of the rate limits is away, and a limit with onFailure: closed lets nothing pass.',
})
export class RateLimitUnavailableError extends InfraError {
  readonly retryAfterMs: number;

  constructor(
    /** Name of the limit. */
    readonly limit: string,
    retryAfterMs: number,
  ) {
    super('The service is not available at the moment', '');
    this.retryAfterMs = Number.isFinite(retryAfterMs) && retryAfterMs > 0 ? retryAfterMs : 1_000;
  }
}

/** The caller is on the list of those who are refused: 403. */
@ErrorSpec({ code: 'CALLER_DENIED', status: 403, fault: 'client', summary: 'The caller is on rateLimit.access.deny.' })
export class CallerDeniedError extends InfraError {
  constructor() {
    super('You may not use this service');
  }
}

/** Limits that decorators state and that cannot be meant so; all of them at once. */
@ErrorSpec({ code: 'INFRA_RATE_LIMIT_DECLARATION', summary: 'A @RateLimit() says what cannot be meant.' })
export class LimitDeclarationError extends InfraError {
  constructor(
    /** One line each, beginning with class and method. */
    readonly problems: readonly string[],
  ) {
    super(['Rate limits that cannot be:', ...problems.map(problem => `- ${problem}`)].join('\n'));
  }
}

@ErrorSpec({
  code: 'INFRA_RATE_LIMIT_NOT_WIRED',
  summary: 'A method with @RateLimit() is on an object that Nest did not instantiate.',
})
export class RateLimitNotWiredError extends InfraError {
  constructor(readonly method: string) {
    super(
      `${method} has a @RateLimit(), and its object was not made by Nest.`,
      'Let Nest inject it, or call RateLimiter.consume(…) in place of the decorator.',
    );
  }
}
