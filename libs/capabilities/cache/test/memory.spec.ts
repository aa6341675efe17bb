import { bootInfra } from '@core-infra/testing';
import { CacheModule } from '../src/index.js';
import { cacheContract } from './support/cache.contract.js';

cacheContract('memory', options => bootInfra(CacheModule.forRoot(options)));
