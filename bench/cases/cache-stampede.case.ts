import { Cache, CacheModule } from '@core-infra/cache';
import { RedisModule } from '@core-infra/redis';
import { startRedis } from '@core-infra/testing';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { createCache } from 'cache-manager';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase, Effort, Variant } from '../harness/bench-case.js';
import { orderOf } from '../servers/sample-order.js';

const CALLERS = 1_000;
const LOAD_MS = 5;

type Read = (key: string, load: () => Promise<unknown>) => Promise<unknown>;

/** So many callers at once for a key that nobody has, again and again with another key. */
function stampede(name: string, read: Read, { quick }: Effort): Variant {
  const times = quick ? 3 : 40;
  let next = 0;
  return {
    name,
    async measure() {
      let loads = 0;
      const load = async () => {
        loads += 1;
        await sleep(LOAD_MS);
        return orderOf(next);
      };
      const before = process.cpuUsage();
      const start = performance.now();
      for (let at = 0; at < times; at += 1) {
        const key = `${name}-${(next += 1)}`;
        await Promise.all(Array.from({ length: CALLERS }, () => read(key, load)));
      }
      const tookMs = performance.now() - start;
      const { user, system } = process.cpuUsage(before);
      return { ms: tookMs / times, cpuUs: (user + system) / times / CALLERS, loads: loads / times };
    },
  };
}

export const cacheStampede: BenchCase = {
  name: 'cache-stampede',
  about:
    `${CALLERS.toLocaleString('en-US')} callers at once for an entry that nobody has, with a loader that takes ${LOAD_MS} ms: until all of them have it. *core-infra*: in memory, ` +
    'and with Redis, where one of all processes loads. *bentocache* and *cache-manager*: in memory.',
  rounds: 7,
  metrics: [
    { key: 'ms', label: 'Until all have it', unit: 'ms' },
    { key: 'cpuUs', label: 'CPU per caller', unit: 'µs', digits: 2 },
    { key: 'loads', label: 'Loads', unit: '', digits: 0 },
  ],
  goals: [
    { metric: 'loads', variant: 'core-infra, memory', atMost: 1 },
    { metric: 'loads', variant: 'core-infra, Redis', atMost: 1 },
    {
      metric: 'cpuUs',
      variant: 'core-infra, memory',
      against: { variant: 'bentocache, memory', as: 'ratio' },
      atMost: 1.15,
    },
  ],
  async open(effort) {
    const server = await startRedis();

    @Module({ imports: [CacheModule.forRoot({})] })
    class InMemoryModule {}

    @Module({
      imports: [RedisModule.forRoot({ url: server.url, startup: 'require' }), CacheModule.forRoot({ driver: 'redis' })],
    })
    class OnRedisModule {}
    const apps = await Promise.all(
      [InMemoryModule, OnRedisModule].map(module =>
        NestFactory.createApplicationContext(module, { logger: false, abortOnError: false }),
      ),
    );
    const [inMemory, onRedis] = apps.map(app => app.get(Cache));
    const bento = new BentoCache({
      default: 'memory',
      stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 10_000 })) },
    });
    const manager = createCache({ ttl: 60_000 });
    return {
      variants: [
        stampede('core-infra, memory', (key, load) => inMemory!.getOrSet(key, load), effort),
        stampede('core-infra, Redis', (key, load) => onRedis!.getOrSet(key, load), effort),
        stampede('bentocache, memory', (key, factory) => bento.getOrSet({ key, factory, ttl: 60_000 }), effort),
        stampede('cache-manager, memory', (key, load) => manager.wrap(key, load), effort),
      ],
      async close() {
        for (const app of apps) await app.close();
        await bento.disconnectAll();
        await manager.disconnect();
        await server.dispose();
      },
    };
  },
};
