import { ConfigSection, Live } from '@core-infra/kernel';
import { IsBoolean } from 'class-validator';

/** The cache of HTTP answers. */
@ConfigSection('httpCache')
export class HttpCacheConfig {
  /** Whether answers are cached at all; when not, handlers answer as if `@CacheResponse` were not there. @default true */
  @Live()
  @IsBoolean()
  enabled: boolean = true;

  /**
   * Whether a request's `Cache-Control: no-cache` gets an answer that is made anew, and `no-store` one that is not kept either. Anyone can so have
   * all of their requests reach the handlers. @default false
   */
  @Live()
  @IsBoolean()
  honourRequest: boolean = false;
}
