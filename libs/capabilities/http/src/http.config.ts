import { ConfigSection, Env, Live, Nested } from '@core-infra/kernel';
import { IsIn, IsInt, IsString, Matches, Max, Min } from 'class-validator';

/** How errors are answered. */
export class HttpErrorsConfig {
  /** Body of an error: `standard`, or `problem` for RFC 9457. An `Accept` header that names `application/problem+json` gets that in any case. @default standard */
  @Live()
  @IsIn(['standard', 'problem'])
  format: 'standard' | 'problem' = 'standard';

  /** What `type` of a problem begins with; the error code is appended. Empty answers `about:blank`. @default empty */
  @Live()
  @IsString()
  typeBase: string = '';

  /** `Retry-After` of a retryable 503 or 429 whose error names no time of its own, in milliseconds, sent as whole seconds. @default 1_000 */
  @Live()
  @IsInt()
  @Min(0)
  retryAfterMs: number = 1_000;
}

/** How invalid input is answered. */
export class HttpValidationConfig {
  /** Status of `VALIDATION_ERROR`: 422 or 400. @default 422 */
  @Live()
  @IsIn([422, 400])
  status: number = 422;
}

/** Sizes of lists. */
export class HttpPagingConfig {
  /** Items on a page when the request does not say. @default 20 */
  @Live()
  @IsInt()
  @Min(1)
  @Max(1_000)
  size: number = 20;

  /** The most items that a request may ask for. @default 100 */
  @Live()
  @IsInt()
  @Min(1)
  @Max(10_000)
  maxSize: number = 100;

  /** How many items may be skipped by `page`; beyond it, the cursor (`after`) is the way. @default 100_000 */
  @Live()
  @IsInt()
  @Min(0)
  maxOffset: number = 100_000;
}

/** Section `http`, which core's server settings (port, host) share. */
@ConfigSection('http')
export class HttpConfig {
  /** What every route of the app begins with; empty for none. The library's own routes (`/health`, `/docs`, …) stay outside. @default /api/v1 */
  @Env('API_PREFIX')
  @IsString()
  @Matches(/^$|^\/?[\w.~-]+(\/[\w.~-]+)*\/?$/, { message: 'must be a path such as /api/v1, or empty' })
  prefix: string = '/api/v1';

  /** Where the OpenAPI page is served, its document under the same path with `-json`; empty turns both off. @default /docs */
  @Env('DOCS_URL')
  @IsString()
  @Matches(/^$|^\/[\w.~-]+(\/[\w.~-]+)*$/, { message: 'must be a path such as /docs, or empty' })
  docsUrl: string = '/docs';

  /** Error answers. */
  @Nested(() => HttpErrorsConfig)
  errors: HttpErrorsConfig = new HttpErrorsConfig();

  /** Input validation. */
  @Nested(() => HttpValidationConfig)
  validation: HttpValidationConfig = new HttpValidationConfig();

  /** Lists. */
  @Nested(() => HttpPagingConfig)
  paging: HttpPagingConfig = new HttpPagingConfig();

  static *check({ paging }: HttpConfig): Iterable<{ path: string; expected: string }> {
    if (paging.size > paging.maxSize)
      yield { path: 'paging.size', expected: `at most http.paging.maxSize (${paging.maxSize})` };
  }
}
