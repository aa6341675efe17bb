import { BareImportError, defineBehaviour } from '@core-infra/kernel';
import { Module, Optional } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { CacheWarmingConfig } from './cache-warming.config.js';
import { CacheWarmup } from './cache-warmup.js';

const CacheWarmingBehaviour = defineBehaviour({
  name: 'cache-warming',
  config: CacheWarmingConfig,
  imports: [DiscoveryModule],
  providers: [CacheWarmup],
});

/** Runs the app's `@CacheWarmer` providers once it has booted, on the plain `Cache`. */
@Module({})
export class CacheWarmingModule extends CacheWarmingBehaviour {
  constructor(@Optional() warmup?: CacheWarmup) {
    super();
    if (!warmup) throw new BareImportError(CacheWarmingModule.name);
  }
}
