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
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import fresh from 'fresh';
import { defer, map, mergeMap, type Observable, of } from 'rxjs';
import type { Cache } from '../cache.js';
import { CACHE_RESPONSE, type CacheResponseOptions } from './cache-response.options.js';
import { HttpCache } from './http-cache.js';
import { HttpCacheConfig } from './http-cache.config.js';
import { type RawRequest, responseKey } from './response-key.js';
import { askedFor, bodyOf, entityTag, headersSince, type StoredResponse } from './stored-response.js';

/** What both adapters' answers have in common. */
interface AnyResponse {
  readonly statusCode: number;
  getHeaders(): Record<string, unknown>;
  removeHeader(name: string): unknown;
}

/** One request that a `@CacheResponse` handler is to answer. */
interface Exchange {
  readonly options: CacheResponseOptions;
  readonly request: RawRequest;
  readonly response: AnyResponse;
  readonly key: string;
  readonly headersBefore: Readonly<Record<string, unknown>>;
}

/**
 * Serves the answers of `@CacheResponse` handlers from the cache. It puts itself before every other interceptor, so that what it keeps is what is
 * sent: an interceptor about it would work on its own result a second time.
 */
@Injectable()
export class HttpCacheInterceptor implements NestInterceptor {
  private readonly logger = new Logger('HttpCache');
  private readonly answers: Cache;
  private readonly clock: Clock;

  constructor(
    { answers }: HttpCache,
    private readonly config: HttpCacheConfig,
    private readonly host: HttpAdapterHost,
    application: ApplicationConfig,
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
    const options = Reflect.getMetadata(CACHE_RESPONSE, handler) as CacheResponseOptions | undefined;
    if (!options) return next.handle();
    const http = context.switchToHttp();
    const wrapped = http.getRequest<RawRequest & { raw?: RawRequest }>();
    const request = wrapped.raw ?? wrapped;
    if (request.method !== 'GET' && request.method !== 'HEAD') return next.handle();
    const key = responseKey(request, `${context.getClass().name}.${handler.name}`, options, this.context.current);
    if (key === undefined) return next.handle();
    const response = http.getResponse<AnyResponse>();
    const exchange = { options, request, response, key, headersBefore: { ...response.getHeaders() } };
    const asked = this.config.honourRequest ? askedFor(request) : { anew: false, notKept: false };
    const answer = (): Observable<unknown> =>
      next.handle().pipe(map(value => this.keep(exchange, value, asked.notKept)));
    if (asked.anew) return answer();
    return defer(() => this.answers.get<StoredResponse>(key)).pipe(
      mergeMap(stored =>
        stored ? of(this.serve(exchange, stored, `hit; ttl=${this.remaining(exchange, stored)}`)) : answer(),
      ),
    );
  }

  /** Keeps what the handler answered, if it may be, and hands on what is sent. */
  private keep(exchange: Exchange, value: unknown, notKept: boolean): unknown {
    const { options, response, headersBefore, key, request } = exchange;
    if (this.host.httpAdapter.isHeadersSent(response) || response.statusCode !== 200) return value;
    const headers = response.getHeaders();
    if (headers['set-cookie'] !== undefined || /no-store|private/.test(String(headers['cache-control'] ?? '')))
      return value;
    const body = bodyOf(value);
    if (!body) return value;
    const kept = headersSince(headersBefore, headers);
    if (body.json && headers['content-type'] === undefined) kept['content-type'] = 'application/json; charset=utf-8';
    const stored: StoredResponse = {
      body: body.body,
      bytes: body.bytes,
      headers: kept,
      etag: entityTag(body.body, options.etag ?? 'weak'),
      madeAt: this.clock.now(),
    };
    if (!notKept) {
      const tags = typeof options.tags === 'function' ? options.tags(request) : options.tags;
      // Nobody waits for it; the cache's own errors do not come here, but an answer can be too large to be kept.
      this.answers
        .set(key, stored, { ttlMs: options.ttlMs, graceMs: 0, ...(tags && { tags }) })
        .catch((error: Error) => this.logger.warn(`An answer is not cached: ${error.message}`));
    }
    return this.serve(exchange, stored, `fwd=miss${notKept ? '' : '; stored'}`);
  }

  private serve({ options, request, response }: Exchange, stored: StoredResponse, status: string): unknown {
    const adapter = this.host.httpAdapter;
    const set = (name: string, value: unknown) => adapter.setHeader(response, name, value as string);
    for (const [name, value] of Object.entries(stored.headers)) set(name, value);
    set('ETag', stored.etag);
    set('Cache-Control', cacheControl(options));
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

  private remaining({ options }: Exchange, { madeAt }: StoredResponse): number {
    return Math.max(0, Math.ceil((madeAt + options.ttlMs - this.clock.now()) / 1_000));
  }
}

function cacheControl(options: CacheResponseOptions): string {
  const seconds = (ms: number) => Math.floor(ms / 1_000);
  const own = options.private ?? (options.varyBy ?? []).some(by => typeof by !== 'object');
  const { staleWhileRevalidateMs: stale } = options;
  return [
    own ? 'private' : 'public',
    `max-age=${seconds(options.maxAgeMs ?? options.ttlMs)}`,
    ...(stale === undefined ? [] : [`stale-while-revalidate=${seconds(stale)}`]),
  ].join(', ');
}

/** A browser's own copy, too, is only good for the one who was logged in. */
function varyHeaders({ varyBy = [] }: CacheResponseOptions): string[] {
  const named = varyBy.flatMap(by => (typeof by === 'object' ? [by.header] : []));
  return varyBy.includes('user') ? ['Authorization', 'Cookie', ...named] : named;
}
