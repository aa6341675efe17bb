import { Injectable } from '@nestjs/common';
import { Cache } from '../cache.js';
import { pathKey } from './response-key.js';

/** The namespace of answers within the app's cache. */
const NAMESPACE = 'http-responses';

/** The answers that `@CacheResponse` keeps. */
@Injectable()
export class HttpCache {
  /** @internal */
  readonly answers: Cache;

  constructor(cache: Cache) {
    this.answers = cache.namespace(NAMESPACE);
  }

  /** Evicts the answers of a path, whatever their query, user or host. @param path as it is asked for, prefix included: `/api/orders/42` */
  async evictPath(path: string): Promise<void> {
    await this.answers.clearPrefix(pathKey(path));
  }

  /** Evicts the answers that carry one of the tags. */
  async evictTags(...tags: string[]): Promise<void> {
    await this.answers.deleteByTag(...tags);
  }
}
