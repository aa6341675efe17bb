import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppInfo, Connections, RequestContext } from '@core-infra/kernel';
import { Inject, Injectable, Logger, type OnModuleInit, Optional } from '@nestjs/common';
import { type AbstractHttpAdapter, HttpAdapterHost } from '@nestjs/core';
import { HttpConfig } from '../http.config.js';
import { acceptsProblem, PROBLEM_TYPE, problemBody, STANDARD_TYPE, standardBody } from './error-body.js';
import { type ErrorFacts, factsOf } from './error-facts.js';
import { ErrorResponse, factsOfResponse } from './error-response.js';

/** What is left of both adapters' requests and answers once Fastify's wrapping is off. */
type Wrapped<T> = T & { raw?: T };
type RawRequest = IncomingMessage & { originalUrl?: string };

/** What the failed handler may have said of an answer that is not sent now. */
const ofTheAnswerThatWas = [
  'Content-Length',
  'Content-Encoding',
  'Content-Disposition',
  'Cache-Control',
  'ETag',
  'Last-Modified',
];

const saneId = /^[\w.:-]{1,128}$/;

/** Writes error answers, in one of two formats, on either adapter; logs what is ours to mend. */
@Injectable()
export class ErrorResponder implements OnModuleInit {
  private readonly logger = new Logger('HttpErrors');

  constructor(
    private readonly config: HttpConfig,
    private readonly host: HttpAdapterHost,
    private readonly connections: Connections,
    @Optional() @Inject(RequestContext) private readonly context: RequestContext = RequestContext.none,
    @Optional() @Inject(AppInfo) private readonly info: AppInfo = AppInfo.unknown,
  ) {}

  /** An {@link ErrorResponse} that a handler returns passes here too: `reply` is where both adapters send what handlers return. */
  onModuleInit(): void {
    const adapter = this.host.httpAdapter as AbstractHttpAdapter | undefined;
    if (typeof adapter?.reply !== 'function') return;
    const reply = adapter.reply.bind(adapter) as (response: unknown, body: unknown, status?: number) => unknown;
    adapter.reply = (response: Wrapped<ServerResponse>, body: unknown, status?: number): unknown => {
      if (!(body instanceof ErrorResponse)) return reply(response, body, status);
      const request = (response as { request?: unknown }).request ?? response.req;
      return this.write(factsOfResponse(body), request as RawRequest, response);
    };
  }

  /** Answers a request that failed, unless nobody waits for the answer any more. */
  respond(error: unknown, request: Wrapped<RawRequest>, response: Wrapped<ServerResponse>): void {
    const adapter = this.host.httpAdapter;
    const raw = response.raw ?? response;
    const known =
      error instanceof ErrorResponse ? error : (this.host.httpAdapter.mapException?.(error as Error) ?? error);
    const facts =
      known instanceof ErrorResponse
        ? factsOfResponse(known)
        : factsOf(known, {
            classify: cause => this.connections.classify(cause),
            retryAfterMs: this.config.errors.retryAfterMs,
          });
    const gone = raw.destroyed;
    if (facts.status >= 500 && !(gone && isAbort(error))) this.log(error, facts, request);
    if (gone) return;
    if (!adapter.isHeadersSent(response))
      void this.write(facts, request, response, this.info.debug ? error : undefined);
    // Half an answer must not look like a whole one. One that was sent in full before the handler failed stays as it is.
    else if (raw.headersSent && !raw.writableEnded) raw.destroy();
  }

  private write(
    facts: ErrorFacts,
    request: Wrapped<RawRequest>,
    response: Wrapped<ServerResponse>,
    debug?: unknown,
  ): unknown {
    const adapter = this.host.httpAdapter;
    const { format, typeBase } = this.config.errors;
    const requestId = this.requestId(request, response);
    const told = debug instanceof Error ? { ...facts, details: { ...facts.details, stack: stackOf(debug) } } : facts;
    const problem = format === 'problem' || acceptsProblem(request.headers.accept);
    for (const name of ofTheAnswerThatWas) response.removeHeader(name);
    adapter.appendHeader?.(response, 'Vary', 'Accept');
    adapter.setHeader(response, 'Content-Type', problem ? PROBLEM_TYPE : STANDARD_TYPE);
    if (facts.retryAfterMs !== undefined)
      adapter.setHeader(response, 'Retry-After', String(Math.ceil(facts.retryAfterMs / 1_000)));
    const body = problem ? problemBody(told, requestId, pathOf(request), typeBase) : standardBody(told, requestId);
    return adapter.reply(response, body, facts.status) as unknown;
  }

  /** The context's; without the context module, what the caller sent if it is sane, or one of our own, which is returned in the header as well. */
  private requestId(request: Wrapped<RawRequest>, response: Wrapped<ServerResponse>): string {
    const current = this.context.current?.requestId;
    if (current) return current;
    const sent = request.headers['x-request-id'];
    const id = typeof sent === 'string' && saneId.test(sent) ? sent : randomUUID();
    this.host.httpAdapter.setHeader(response, 'X-Request-ID', id);
    return id;
  }

  private log(error: unknown, { status, code }: ErrorFacts, request: Wrapped<RawRequest>): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.logger.error(`${request.method} ${pathOf(request)} failed: ${reason}`, {
      err: error,
      status,
      error_code: code,
    });
  }
}

function pathOf(request: Wrapped<RawRequest>): string {
  return (request.originalUrl ?? request.url ?? '/').split('?', 1)[0]!;
}

function stackOf(error: Error): string[] {
  const lines = (error.stack ?? error.message).split('\n').map(line => line.trim());
  return error.cause instanceof Error ? [...lines, 'caused by', ...stackOf(error.cause)] : lines;
}

/** What calls reject with when the caller's own signal has ended them; a `DOMException`, as a rule. */
function isAbort(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return name === 'AbortError' || code === 'ECONNRESET';
}
