import type { ServerResponse } from 'node:http';
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { isObservable, type Observable, throwError } from 'rxjs';
import { AppFilters } from './app-filters.js';
import { ErrorResponder } from './error-responder.js';

/** Answers every error that reaches an HTTP request. Messages keep their errors: their strategy decides what becomes of them. */
@Catch()
export class HttpErrorFilter implements ExceptionFilter {
  constructor(
    private readonly responder: ErrorResponder,
    private readonly filters: AppFilters,
    private readonly host: HttpAdapterHost,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): unknown {
    const own = this.filters.for(exception, this);
    const result: unknown = own?.catch(exception, host);
    if (host.getType() !== 'http') return own ? result : rethrown(exception, host);
    if (!own) return this.answer(exception, host);
    // A filter that is meant for messages returns what those need, and leaves an HTTP request unanswered.
    const finish = (value: unknown): void => {
      const unanswered = isObservable(value) || value instanceof Error;
      if (unanswered && !this.host.httpAdapter.isHeadersSent(host.switchToHttp().getResponse<ServerResponse>()))
        this.answer(exception, host);
    };
    return result instanceof Promise ? result.then(finish) : finish(result);
  }

  private answer(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.responder.respond(exception, http.getRequest(), http.getResponse());
  }
}

/** Microservices take a stream that fails, GraphQL the error itself. */
function rethrown(exception: unknown, host: ArgumentsHost): Observable<never> | unknown {
  return host.getType() === 'rpc' ? throwError(() => exception) : exception;
}
