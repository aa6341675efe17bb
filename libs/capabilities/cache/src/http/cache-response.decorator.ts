import {
  applyDecorators,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import type { Observable } from 'rxjs';
import { CACHE_RESPONSE, type CacheResponseOptions } from './cache-response.options.js';
import { InvalidResponseCacheError } from './errors.js';
import { HttpCache } from './http-cache.js';

/** Its dependency has Nest say at the boot that HttpCacheModule is missing. */
@Injectable()
export class NeedsHttpCacheModule implements NestInterceptor {
  constructor(readonly needed: HttpCache) {}

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

/**
 * Caches the answers of a GET handler, as they are sent: after serialisation and every other interceptor; guards run all the same. Concurrent requests
 * for what is not kept share one call of the handler, in all processes over one Redis. Errors, streams, answers with Set-Cookie, with a Cache-Control
 * that keeps them out, or with a Vary that `varyBy` does not have, and those to a request that carries credentials (see `sameForAll`) are not kept.
 * Needs {@link HttpCacheModule}.
 * @throws InvalidResponseCacheError
 */
export function CacheResponse(options: CacheResponseOptions): MethodDecorator {
  for (const name of ['ttlMs', 'maxAgeMs', 'staleWhileRevalidateMs'] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isFinite(value) && value >= 0))
      throw new InvalidResponseCacheError(`@CacheResponse: ${name} is ${value}.`, 'Give milliseconds, 0 or more.');
  }
  if (options.sameForAll && options.varyBy?.includes('user'))
    throw new InvalidResponseCacheError(
      '@CacheResponse says both that the answer is the same for all, and that it varies by user.',
      'Take out sameForAll, or user.',
    );
  return applyDecorators(SetMetadata(CACHE_RESPONSE, options), UseInterceptors(NeedsHttpCacheModule));
}
