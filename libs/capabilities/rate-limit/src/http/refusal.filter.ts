import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { FILTER_CATCH_EXCEPTIONS } from '@nestjs/common/internal';
import { ApplicationConfig, BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { throwError } from 'rxjs';
import { CallerDeniedError, RateLimitedError, RateLimitUnavailableError } from '../errors.js';
import { retryAfterField } from './rate-limit.headers.js';

type Refusal = RateLimitedError | RateLimitUnavailableError | CallerDeniedError;
type ErrorClass = abstract new (...args: never[]) => unknown;

/**
 * Answers refusals where nobody else does: Nest itself would take them for failures, answer 500 and log each of them. A filter of the app, or of
 * its error module, goes first. A message's refusal is handed to its transport as it is.
 */
@Catch(RateLimitedError, RateLimitUnavailableError, CallerDeniedError)
export class RefusalFilter implements ExceptionFilter {
  /** Refusals that are with another filter, which may ask this one again. */
  private readonly handedOn = new WeakSet<Refusal>();

  constructor(
    private readonly config: ApplicationConfig,
    private readonly host: HttpAdapterHost,
  ) {}

  catch(refusal: Refusal, host: ArgumentsHost): unknown {
    const asked = this.handedOn.has(refusal);
    const other = asked ? undefined : this.otherFor(refusal);
    if (other) {
      this.handedOn.add(refusal);
      return other.catch(refusal, host);
    }
    if (host.getType() === 'rpc') return throwError(() => refusal);
    return host.getType() === 'http' && !asked ? this.answer(refusal, host) : refusal;
  }

  private answer(refusal: Refusal, host: ArgumentsHost): void {
    const { status, problem } = refusal;
    const { httpAdapter } = this.host;
    const response = host.switchToHttp().getResponse<object>();
    const retryAfterMs = 'retryAfterMs' in refusal ? refusal.retryAfterMs : Infinity;
    if (Number.isFinite(retryAfterMs) && !httpAdapter.isHeadersSent(response))
      httpAdapter.setHeader(response, 'Retry-After', retryAfterField(retryAfterMs));
    new BaseExceptionFilter(httpAdapter).catch(
      new HttpException({ statusCode: status, message: problem }, status),
      host,
    );
  }

  /** The one that names the error's class rather than one for all errors, and of several the last. */
  private otherFor(refusal: Refusal): ExceptionFilter | undefined {
    const others = this.config
      .getGlobalFilters()
      .filter(filter => !(filter instanceof RefusalFilter))
      .map(filter => ({ filter, caught: caughtBy(filter) }));
    const named = others.findLast(({ caught }) => caught.some(errorClass => refusal instanceof errorClass));
    return (named ?? others.findLast(({ caught }) => caught.length === 0))?.filter;
  }
}

function caughtBy(filter: ExceptionFilter): ErrorClass[] {
  return (Reflect.getMetadata(FILTER_CATCH_EXCEPTIONS, filter.constructor) ?? []) as ErrorClass[];
}
