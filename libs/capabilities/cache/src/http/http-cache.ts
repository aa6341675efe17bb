import { Injectable } from '@nestjs/common';
import { Cache, type CachedLoader } from '../cache.js';
import type { Exchange, Passed } from './exchange.js';
import { pathKey } from './response-key.js';
import type { StoredResponse } from './stored-response.js';

/** The namespace of answers within the app's cache. */
const NAMESPACE = 'http-responses';

/** The answers that `@CacheResponse` keeps. */
@Injectable()
export class HttpCache {
  /** @internal */
  readonly answers: CachedLoader<[Exchange], StoredResponse | Passed>;
  private readonly kept: Cache;

  constructor(cache: Cache) {
    this.answers = cache.define(NAMESPACE, {
      key: (exchange: Exchange) => exchange.asked.key,
      load: (exchange, context) => exchange.load(context),
      graceMs: 0,
    });
    this.kept = cache.namespace(NAMESPACE);
  }

  /**
   * Evicts the answers of a path, whatever their query, user or host, and however a client spelled it.
   * @param path as it is asked for, prefix included: `/api/orders/42`
   */
  async evictPath(path: string): Promise<void> {
    await this.kept.clearPrefix(pathKey(path));
  }

  /** Evicts the answers that carry one of the tags. */
  async evictTags(...tags: string[]): Promise<void> {
    await this.kept.deleteByTag(...tags);
  }
}
