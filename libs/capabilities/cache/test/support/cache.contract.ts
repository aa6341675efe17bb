import { Cache, type CacheOptions } from '../../src/index.js';
import { type InfraApp, uniqueName } from '@core-infra/testing';
import { badInputContract } from './bad-input.contract.js';
import { entriesContract } from './entries.contract.js';
import { invalidationContract } from './invalidation.contract.js';
import { loadsContract } from './loads.contract.js';

/** Boots an app with a cache; the options go on top of the driver's own. */
export type BootCache = (options?: CacheOptions) => Promise<InfraApp>;

/** What every driver of the cache promises. */
export function cacheContract(name: string, boot: BootCache): void {
  describe(`cache on ${name}`, () => {
    let app: InfraApp;
    let cache: Cache;

    beforeAll(async () => {
      app = await boot({ ttlJitterRatio: 0 });
    });
    beforeEach(() => {
      cache = app.get(Cache).namespace(uniqueName('ns'));
    });
    afterAll(() => app.close());

    for (const part of [entriesContract, loadsContract, invalidationContract, badInputContract]) part(() => cache);
  });
}
