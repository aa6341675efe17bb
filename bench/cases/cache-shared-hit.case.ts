import { Cache, CacheModule } from '@core-infra/cache';
import { RedisModule } from '@core-infra/redis';
import { startRedis } from '@core-infra/testing';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BentoCache, bentostore } from 'bentocache';
import { redisDriver } from 'bentocache/drivers/redis';
import { Redis } from 'ioredis';
import type { BenchCase } from '../harness/bench-case.js';
import { throughputVariant } from '../harness/throughput.js';
import { orderOf } from '../servers/sample-order.js';

const KEYS = Array.from({ length: 4_096 }, (_, at) => `order-${at}`);
const FOREVER_MS = 3_600_000;
const keyOf = (at: number): string => KEYS[at & 4_095]!;

export const cacheSharedHit: BenchCase = {
  name: 'cache-shared-hit',
  about:
    `A hit in Redis that is not in memory: ${KEYS.length.toLocaleString('en-US')} entries in turn, of which memory holds 16, 64 reads under way at a time. ` +
    '*core-infra*: `CacheModule` on Redis, `get` and `getOrSet`. *GET*: `GET` on ioredis with auto-pipelining, and `JSON.parse`. *bentocache*: its Redis driver alone, on the same client.',
  rounds: 7,
  metrics: [
    { key: 'perSecond', label: 'Hits per second', unit: '', digits: 0 },
    { key: 'cpuUs', label: 'CPU per hit', unit: 'µs' },
  ],
  goals: ['core-infra, get', 'core-infra, getOrSet'].map(variant => ({
    metric: 'perSecond',
    variant,
    against: { variant: 'GET', as: 'ratio' as const },
    atLeast: 0.9,
  })),
  async open(effort) {
    const server = await startRedis();

    @Module({
      imports: [
        RedisModule.forRoot({ url: server.url, autoPipelining: true, startup: 'require' }),
        CacheModule.forRoot({ driver: 'redis', memory: { maxEntries: 16 }, redis: { commandTimeoutMs: 5_000 } }),
      ],
    })
    class OursModule {}
    const app = await NestFactory.createApplicationContext(OursModule, { logger: false, abortOnError: false });
    const ours = app.get(Cache).namespace('bench');
    const redis = new Redis(server.url, { enableAutoPipelining: true });
    const bento = new BentoCache({
      default: 'redis',
      stores: { redis: bentostore().useL2Layer(redisDriver({ connection: redis })) },
    });
    for (const [at, key] of KEYS.entries()) {
      await ours.set(key, orderOf(at), { ttlMs: FOREVER_MS });
      await redis.set(`raw:${key}`, JSON.stringify(orderOf(at)));
      await bento.set({ key, value: orderOf(at), ttl: FOREVER_MS });
    }
    return {
      variants: [
        throughputVariant('core-infra, get', async at => found(await ours.get(keyOf(at))), effort),
        throughputVariant('core-infra, getOrSet', async at => found(await ours.getOrSet(keyOf(at), never)), effort),
        throughputVariant('GET', async at => found(JSON.parse((await redis.get(`raw:${keyOf(at)}`))!)), effort),
        throughputVariant('bentocache', async at => found(await bento.get({ key: keyOf(at) })), effort),
      ],
      async close() {
        await app.close();
        redis.disconnect();
        await server.dispose();
      },
    };
  },
};

const never = () => {
  throw new Error('This entry is in Redis.');
};

function found(value: unknown): void {
  if (value === undefined || value === null) throw new Error('An entry that was written is not there.');
}
