import { lastValueFrom, type Observable } from 'rxjs';
import type { LoadContext } from '../cache.js';
import { isKeptOut, variesByMore } from './answer-headers.js';
import type { CacheResponseOptions } from './cache-response.options.js';
import type { RawRequest } from './response-key.js';
import { bodyOf, entityTag, headersSince, type StoredResponse } from './stored-response.js';

/** What both adapters' answers have in common. */
export interface AnyResponse {
  readonly statusCode: number;
  getHeaders(): Record<string, unknown>;
  removeHeader(name: string): unknown;
}

/** That answers to such requests are not kept at present, so that none waits for another one's. */
export interface Passed {
  readonly passed: true;
}

/** What the handler made of a request. */
export interface Made {
  readonly value: unknown;
  /** The same, when it may be kept. */
  readonly stored: StoredResponse | undefined;
}

/** How long requests do not wait for one another after an answer that could not be kept, in milliseconds. */
const PASSED_MS = 10_000;

/** What there is to be answered, and by which handler. */
interface Asked {
  readonly key: string;
  readonly options: CacheResponseOptions;
  readonly request: RawRequest;
  readonly response: AnyResponse;
  readonly tenantId: string | undefined;
  readonly handle: () => Observable<unknown>;
  /** Whether the handler has sent the answer by itself. */
  readonly isSent: () => boolean;
  readonly now: () => number;
}

/** One request that a `@CacheResponse` handler is to answer. */
export class Exchange {
  /** What this request's own call of the handler comes to, once there is one. */
  made: Promise<Made> | undefined;
  private readonly headersBefore: Readonly<Record<string, unknown>>;

  constructor(readonly asked: Asked) {
    this.headersBefore = { ...asked.response.getHeaders() };
  }

  /** Calls the handler, unless it has been. */
  make(): Promise<Made> {
    this.made ??= lastValueFrom(this.asked.handle(), { defaultValue: undefined }).then(value => ({
      value,
      stored: this.storedOf(value),
    }));
    return this.made;
  }

  /** The load of the cache. */
  async load(context: LoadContext): Promise<StoredResponse | Passed> {
    const { stored } = await this.make();
    const { options, request } = this.asked;
    const { ttlMs, tags } = options;
    const named = typeof tags === 'function' ? tags(request) : tags;
    context.options({ ttlMs: stored ? ttlMs : PASSED_MS, ...(named && { tags: named }) });
    return stored ?? { passed: true };
  }

  private storedOf(value: unknown): StoredResponse | undefined {
    const { headersBefore } = this;
    const { response, options } = this.asked;
    if (this.asked.isSent() || response.statusCode !== 200) return undefined;
    const headers = response.getHeaders();
    if (headers['set-cookie'] !== undefined || isKeptOut(headers['cache-control'])) return undefined;
    if (variesByMore(options, headersBefore['vary'], headers['vary'])) return undefined;
    const body = bodyOf(value);
    if (!body) return undefined;
    const kept = headersSince(headersBefore, headers);
    if (body.json && headers['content-type'] === undefined) kept['content-type'] = 'application/json; charset=utf-8';
    const own = headers['etag'];
    return {
      body: body.body,
      bytes: body.bytes,
      headers: kept,
      etag: typeof own === 'string' ? own : entityTag(body.body, options.etag ?? 'weak'),
      madeAt: this.asked.now(),
    };
  }
}
