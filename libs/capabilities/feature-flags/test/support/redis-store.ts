import { bootInfra, uniqueName } from '@core-infra/testing';
import { AppInfo, AppState, type Clock, Clock as Clocks, type DriverSite } from '@core-infra/kernel';
import { RedisClient, RedisModule, type RedisOptions } from '@core-infra/redis';
import { openRedisStore } from '../../src/drivers/redis.js';
import { parseFlagDocument } from '../../src/evaluation/validate.js';
import type { RedisFlagStore } from '../../src/stores/redis/redis-flag.store.js';
import { RedisFlagsConfig } from '../../src/stores/redis/redis-flags.config.js';

export interface OpenedStore extends AsyncDisposable {
  readonly store: RedisFlagStore;
  readonly client: RedisClient;
  /** What was logged as a warning. */
  readonly warnings: string[];
}

/** A store as the driver opens it, on a Redis of RedisModule's. */
export async function openStore(
  redis: RedisOptions,
  options: Partial<RedisFlagsConfig> = {},
  clock: Clock = Clocks.system,
): Promise<OpenedStore> {
  const app = await bootInfra(RedisModule.forRoot(redis));
  const client = app.get(RedisClient);
  const warnings: string[] = [];
  const config = Object.assign(new RedisFlagsConfig(), { key: uniqueName('flags'), snapshotFile: '' }, options);
  const quiet = () => undefined;
  const site = {
    id: 'feature-flags',
    app: AppInfo.unknown,
    clock,
    logger: { log: quiet, debug: quiet, warn: (text: string) => void warnings.push(text) },
    upstream: () => client,
    state: AppState,
  } as unknown as DriverSite;
  const store = openRedisStore(config, site, text => parseFlagDocument(text, { source: 'Redis' }));
  let closed: Promise<void> | undefined;
  const close = async () => {
    await store.close();
    await app.close();
  };
  return { store, client, warnings, [Symbol.asyncDispose]: () => (closed ??= close()) };
}
