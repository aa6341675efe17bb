import { AppInfo, Clock, RequestContext } from '@core-infra/kernel';
import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  type NestInterceptor,
  Optional,
} from '@nestjs/common';
import { SSE_METADATA } from '@nestjs/common/constants.js';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import fresh from 'fresh';
import { defer, map, type Observable } from 'rxjs';
import { LoadTimeoutError } from '../errors.js';
import { handlerName, variedByVersion } from './answered-version.js';
import { cacheControl, OWN_ANSWER, varyHeaders } from './answer-headers.js';
import { CACHE_RESPONSE, type CacheResponseOptions } from './cache-response.options.js';
import { type AnyResponse, Exchange, type Passed } from './exchange.js';
import { HttpCache } from './http-cache.js';
import { HttpCacheConfig } from './http-cache.config.js';
import { isSharable, type RawRequest, responseKey, type SeenOrigin } from './response-key.js';
import { askedFor, type StoredResponse } from './stored-response.js';

/**
 * Serves the answers of `@CacheResponse` handlers from the cache. It puts itself before every other interceptor, so that what it keeps is what is
 * sent: an interceptor about it would work on its own result a second time.
 */
@Injectable()
export class HttpCacheInterceptor implements NestInterceptor {
  private readonly logger = new Logger('HttpCache');
  private readonly answers: HttpCache['answers'];
  private readonly clock: Clock;

  constructor(
    { answers }: HttpCache,
    private readonly config: HttpCacheConfig,
    private readonly host: HttpAdapterHost,
    private readonly application: ApplicationConfig,
    @Optional() @Inject(RequestContext) private readonly context: RequestContext = RequestContext.none,
    @Optional() @Inject(AppInfo) private readonly app: AppInfo = AppInfo.unknown,
    @Optional() @Inject(Clock) clock?: Clock,
  ) {
    this.clock = clock ?? Clock.system;
    this.answers = answers;
    application.getGlobalInterceptors().unshift(this);
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http' || !this.config.enabled) return next.handle();
    const handler = context.getHandler();
    const declared = Reflect.getMetadata(CACHE_RESPONSE, handler) as CacheResponseOptions | undefined;
    if (!declared || Reflect.hasMetadata(SSE_METADATA, handler)) return next.handle();
    const http = context.switchToHttp();
    const seen = http.getRequest<RawRequest & SeenOrigin & { raw?: RawRequest }>();
    const request = seen.raw ?? seen;
    if (request.method !== 'GET' && request.method !== 'HEAD') return next.handle();
    const response = http.getResponse<AnyResponse>();
    const asker = this.context.current;
    const controller = context.getClass();
    const options = variedByVersion(declared, this.application.getVersioning(), controller, handler as () => unknown);
    if (!isSharable(request, options, asker)) return next.handle().pipe(map(value => this.own(response, value)));
    const key = responseKey(request, handlerName(controller, handler as () => unknown), options, asker, seen);
    const exchange = new Exchange({
      key,
      options,
      request,
      response,
      tenantId: asker?.tenantId,
      handle: () => next.handle(),
      isSent: () => Boolean(this.host.httpAdapter.isHeadersSent(response)),
      now: () => this.clock.now(),
    });
    return defer(() => this.answer(exchange));
  }

  /** Of one asker alone: a proxy that keeps what says nothing of caching would hand it to others. */
  private own(response: AnyResponse, value: unknown): unknown {
    const { httpAdapter } = this.host;
    if (!httpAdapter.isHeadersSent(response) && response.getHeaders()['cache-control'] === undefined)
      httpAdapter.setHeader(response, 'Cache-Control', OWN_ANSWER);
    return value;
  }

  private async answer(exchange: Exchange): Promise<unknown> {
    const { options, request } = exchange.asked;
    const asked = this.config.honourRequest ? askedFor(request) : { anew: false, notKept: false };
    if (asked.notKept || options.ttlMs === 0) return this.madeHere(exchange, 'fwd=miss');
    const began = this.clock.now();
    const kept = await this.kept(exchange, asked.anew);
    if (exchange.made) return this.madeHere(exchange, 'fwd=miss; stored');
    if (kept && !('passed' in kept)) {
      const waited = kept.madeAt >= began;
      return this.serve(exchange, kept, waited ? 'fwd=miss; collapsed' : `hit; ttl=${this.remaining(exchange, kept)}`);
    }
    const { stored } = await exchange.make();
    // It can be kept again: the next request makes one that no invalidation has been missed for.
    if (stored && kept) await this.answers.delete(exchange);
    return this.madeHere(exchange, 'fwd=miss');
  }

  /** What the cache has, or what the one request is answered that calls the handler for all who ask meanwhile. */
  private async kept(exchange: Exchange, anew: boolean): Promise<StoredResponse | Passed | undefined> {
    try {
      return await (anew ? this.answers.refresh(exchange) : this.answers.get(exchange));
    } catch (error) {
      // Its own answer, or its own error, is still to come.
      if (exchange.made) {
        await exchange.made;
        this.logger.warn(`An answer is not cached: ${(error as Error).message}`);
      } else if (isFailure(error)) throw error;
      return undefined;
    }
  }

  private async madeHere(exchange: Exchange, status: string): Promise<unknown> {
    const { value, stored } = await exchange.make();
    return stored ? this.serve(exchange, stored, status) : value;
  }

  private serve(exchange: Exchange, stored: StoredResponse, status: string): unknown {
    const { options, request, response, tenantId } = exchange.asked;
    const adapter = this.host.httpAdapter;
    const set = (name: string, value: unknown) => adapter.setHeader(response, name, value as string);
    for (const [name, value] of Object.entries(stored.headers)) set(name, value);
    set('ETag', stored.etag);
    set('Cache-Control', cacheControl(options, tenantId));
    set('Cache-Status', `${this.app.name.replaceAll(/[^\w.-]/g, '_')}; ${status}`);
    const age = Math.max(0, Math.floor((this.clock.now() - stored.madeAt) / 1_000));
    if (age > 0) set('Age', String(age));
    const vary = varyHeaders(options);
    if (vary.length > 0) adapter.appendHeader?.(response, 'Vary', vary.join(', '));
    const { 'if-none-match': noneMatch, 'if-modified-since': modifiedSince } = request.headers;
    // Its Cache-Control is not among them: `no-cache` asks for what was validated, which this is.
    const conditions = { 'if-none-match': noneMatch, 'if-modified-since': modifiedSince };
    if (fresh(conditions, { etag: stored.etag, 'last-modified': String(stored.headers['last-modified'] ?? '') })) {
      for (const name of ['content-type', 'content-length', 'content-encoding']) response.removeHeader(name);
      adapter.status(response, 304);
      return undefined;
    }
    return stored.bytes ? Buffer.from(stored.body, 'base64') : stored.body;
  }

  private remaining({ asked: { options } }: Exchange, { madeAt }: StoredResponse): number {
    return Math.max(0, Math.ceil((madeAt + options.ttlMs - this.clock.now()) / 1_000));
  }
}

/** Whether an error is none of the asker's own, such as one that may not see this, so that it is the answer to all who wait for it. */
function isFailure(error: unknown): boolean {
  if (error instanceof LoadTimeoutError) return false;
  const { status } = error as { status?: unknown };
  return typeof status !== 'number' || status >= 500;
}
