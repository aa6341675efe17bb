import 'reflect-metadata';
import { answering } from '../harness/answering.js';
import { memory } from '../harness/memory.js';
import { orderOf } from './sample-order.js';

// Holds many entries in one kind of cache, and says what they take. The question is the kind and how many.

export interface EntriesQuestion {
  readonly kind: 'core-infra' | 'bentocache' | 'cache-manager';
  readonly entries: number;
}

export interface EntriesAnswer {
  /** What the entries added, after garbage collection. */
  readonly heapBytes: number;
  readonly rssBytes: number;
}

type Write = (key: string, at: number) => Promise<unknown>;

/** Kept until the process ends, so that nothing of it is collected. */
const kept: unknown[] = [];

const open: Record<EntriesQuestion['kind'], (entries: number) => Promise<Write>> = {
  'core-infra': async entries => {
    const { Cache, CacheModule } = await import('@core-infra/cache');
    const { NestFactory } = await import('@nestjs/core');
    const module = CacheModule.forRoot({ memory: { maxEntries: entries, maxBytes: 1_000_000_000 } });
    const app = await NestFactory.createApplicationContext(module, { logger: false });
    const cache = app.get(Cache).namespace('bench');
    kept.push(app, cache);
    return (key, at) => cache.set(key, orderOf(at), { ttlMs: 3_600_000 });
  },
  bentocache: async entries => {
    const { BentoCache, bentostore } = await import('bentocache');
    const { memoryDriver } = await import('bentocache/drivers/memory');
    const memory = bentostore().useL1Layer(memoryDriver({ maxItems: entries }));
    const cache = new BentoCache({ default: 'memory', stores: { memory } });
    kept.push(cache);
    return (key, at) => cache.set({ key, value: orderOf(at), ttl: 3_600_000 });
  },
  'cache-manager': async () => {
    const { createCache } = await import('cache-manager');
    const cache = createCache({ ttl: 3_600_000 });
    kept.push(cache);
    return (key, at) => cache.set(key, orderOf(at));
  },
};

answering<EntriesQuestion>(async ({ kind, entries }) => {
  const write = await open[kind](entries);
  await write('warm-up', 0);
  const before = memory();
  for (let at = 0; at < entries; at += 1) await write(`order-${at}`, at);
  const after = memory();
  return {
    heapBytes: after.heapBytes - before.heapBytes,
    rssBytes: after.rssBytes - before.rssBytes,
  } satisfies EntriesAnswer;
});
