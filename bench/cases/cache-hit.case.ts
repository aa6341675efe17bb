import { Cache, CacheModule, getCacheToken } from '@core-infra/cache';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { createCache } from 'cache-manager';
import type { BenchCase, Effort, Variant } from '../harness/bench-case.js';
import { loopVariant, sink } from '../harness/loop.js';
import { orderOf, type SampleOrder } from '../servers/sample-order.js';

const KEYS = Array.from({ length: 1_024 }, (_, at) => `order-${at}`);
const FOREVER_MS = 3_600_000;

@Module({
  imports: [CacheModule.forRoot({}), CacheModule.forRoot({ name: 'shared', memory: { values: 'shared' } })],
})
class OursModule {}

/** Reads one entry after the other, all of them in memory. */
function hits(name: string, read: (key: string) => Promise<SampleOrder | undefined>, effort: Effort): Variant {
  const loop = async (times: number) => {
    let sum = 0;
    for (let at = 0; at < times; at += 1) sum += (await read(KEYS[at & 1_023]!))!.totalMinor;
    sink.value += sum;
  };
  return loopVariant(name, loop, effort);
}

const never = () => {
  throw new Error('This entry is in the cache.');
};

export const cacheHit: BenchCase = {
  name: 'cache-hit',
  about:
    `A hit in this process’s memory, among ${KEYS.length.toLocaleString('en-US')} entries: \`get\`, and \`getOrSet\` (\`wrap\` in cache-manager) whose loader is not ` +
    'needed. *core-infra*: `CacheModule` with its defaults, where each caller gets a copy; *shared*: with `memory.values: shared`, where all get one object. ' +
    '*bentocache* and *cache-manager*: their memory stores with their defaults (bentocache copies, cache-manager does not).',
  rounds: 15,
  metrics: [{ key: 'nsPerCall', label: 'CPU per hit', unit: 'ns', digits: 0 }],
  goals: ['get', 'getOrSet'].map(call => ({
    metric: 'nsPerCall',
    variant: `core-infra, ${call}`,
    against: { variant: `bentocache, ${call}`, as: 'ratio' as const },
    atMost: 1.15,
  })),
  async open(effort) {
    const app = await NestFactory.createApplicationContext(OursModule, { logger: false, abortOnError: false });
    const ours = app.get(Cache).namespace('bench');
    const shared = app.get<Cache>(getCacheToken('shared')).namespace('bench');
    const bento = new BentoCache({
      default: 'memory',
      stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 10_000 })) },
    });
    const manager = createCache({ ttl: FOREVER_MS });
    for (const [at, key] of KEYS.entries()) {
      await ours.set(key, orderOf(at), { ttlMs: FOREVER_MS });
      await shared.set(key, orderOf(at), { ttlMs: FOREVER_MS });
      await bento.set({ key, value: orderOf(at), ttl: FOREVER_MS });
      await manager.set(key, orderOf(at));
    }
    return {
      variants: [
        hits('core-infra, get', key => ours.get<SampleOrder>(key), effort),
        hits('core-infra, getOrSet', key => ours.getOrSet<SampleOrder>(key, never), effort),
        hits('core-infra, get, shared', key => shared.get<SampleOrder>(key), effort),
        hits('bentocache, get', key => bento.get<SampleOrder>({ key }), effort),
        hits('bentocache, getOrSet', key => bento.getOrSet<SampleOrder>({ key, factory: never }), effort),
        hits('cache-manager, get', key => manager.get<SampleOrder>(key), effort),
        hits('cache-manager, getOrSet', key => manager.wrap<SampleOrder>(key, never), effort),
      ],
      async close() {
        await bento.disconnectAll();
        await manager.disconnect();
        await app.close();
      },
    };
  },
};
