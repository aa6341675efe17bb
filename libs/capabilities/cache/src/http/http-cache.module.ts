import { BareImportError, defineBehaviour } from '@core-infra/kernel';
import { Module, Optional } from '@nestjs/common';
import { HttpCache } from './http-cache.js';
import { HttpCacheConfig } from './http-cache.config.js';
import { HttpCacheInterceptor } from './http-cache.interceptor.js';

const HttpCacheBehaviour = defineBehaviour({
  name: 'http-cache',
  config: HttpCacheConfig,
  providers: [HttpCache, HttpCacheInterceptor],
  exports: [HttpCache],
});

/** `@CacheResponse`, on the plain `Cache` of the app. */
@Module({})
export class HttpCacheModule extends HttpCacheBehaviour {
  constructor(@Optional() interceptor?: HttpCacheInterceptor) {
    super();
    if (!interceptor) throw new BareImportError(HttpCacheModule.name);
  }
}
