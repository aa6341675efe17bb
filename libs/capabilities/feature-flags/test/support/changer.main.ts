import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppInfo, Clock, type DriverSite } from '@core-infra/kernel';
import { RedisClient, RedisModule } from '@core-infra/redis';
import { openRedisStore } from '../../src/drivers/redis.js';
import { parseFlagDocument } from '../../src/evaluation/validate.js';
import { RedisFlagsConfig } from '../../src/stores/redis/redis-flags.config.js';

/** A process of its own that adds flags, all at once: `<url> <key> <prefix> <count>`. */
async function main(url: string, key: string, prefix: string, count: number): Promise<void> {
  @Module({ imports: [RedisModule.forRoot({ url })] })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const client = app.get(RedisClient);
  const quiet = () => undefined;
  const site = {
    id: 'feature-flags',
    app: AppInfo.unknown,
    clock: Clock.system,
    logger: { log: quiet, warn: quiet, debug: quiet },
    upstream: () => client,
  } as unknown as DriverSite;
  const config = Object.assign(new RedisFlagsConfig(), { key, snapshotFile: '' });
  const store = openRedisStore(config, site, text => parseFlagDocument(text, { source: 'Redis' }));
  const to = { state: 'ENABLED' as const, variants: { on: true, off: false }, defaultVariant: 'on' };
  await Promise.all(
    Array.from({ length: count }, (_, at) => store.change({ flag: `${prefix}-${at}`, to, by: `process ${prefix}` })),
  );
  await store.close();
  await app.close();
}

const [url = '', key = '', prefix = '', count = '0'] = process.argv.slice(2);
void main(url, key, prefix, Number(count));
