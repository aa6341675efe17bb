import type { BentoCache } from 'bentocache';
import type { CacheProvider, L1CacheDriver, L2CacheDriver } from 'bentocache/types';
import type { Clock } from '@core-infra/kernel';
import { fullOf } from '../loads/lane.js';
import type { Entry } from './entry.js';
import type { MemoryTier } from './memory-tier.js';
import type { SharedTier } from './shared-tier.js';

/** An item as bentocache stores one; its value is our entry, which knows its own times. */
interface Item {
  readonly value: Entry;
  readonly createdAt: number;
  /** Compared with the wall clock: nothing for fresh, the past for stale. */
  readonly logicalExpiration: number | undefined;
}

export interface BentoTiers {
  readonly memory: MemoryTier;
  readonly shared: SharedTier | undefined;
  readonly clock: Clock;
  readonly backoffMs: () => number;
  /** What a load found in the shared store before it came here. */
  readonly found: (full: string) => Entry | undefined;
}

const silent = { emit: () => undefined, on: () => undefined, once: () => undefined, off: () => undefined };
const unused = (): never => {
  throw new TypeError('Not a part of this driver.');
};

/**
 * bentocache over our two tiers, for what is not there or not fresh: who loads in this process, what is served stale meanwhile or instead, and into
 * which tiers a value goes. Bounds, invalidation, times and the store are ours: its own items go through untouched.
 */
export async function bentoOver(tiers: BentoTiers): Promise<CacheProvider> {
  const { BentoCache: Bento, bentostore } = await import('bentocache');
  const store = bentostore({ prefix: '' }).useL1Layer({ options: { serialize: false }, factory: () => l1(tiers) });
  const { shared } = tiers;
  if (shared) store.useL2Layer({ options: {}, factory: () => l2(tiers, shared) });
  const bento: BentoCache<{ tiers: typeof store }> = new Bento({
    default: 'tiers',
    stores: { tiers: store },
    prefix: '',
    emitter: silent as never,
    // The tiers hold objects: our own codec has run by then.
    serializer: { serialize: (item: unknown) => item as string, deserialize: (item: unknown) => item },
    ttl: 60_000,
    graceBackoff: 1,
  });
  return bento.use();
}

function itemOf(entry: Entry, clock: Clock): Item {
  return { value: entry, createdAt: 0, logicalExpiration: clock.now() < entry.until ? undefined : 1 };
}

function l1({ memory, clock, backoffMs }: BentoTiers): L1CacheDriver {
  const driver = {
    type: 'l1',
    namespace: unused,
    get: (lane: string) => {
      const entry = memory.any(fullOf(lane));
      return entry && itemOf(entry, clock);
    },
    set: (_lane: string, item: Item) => {
      const entry = item.value;
      // A stale entry is handed back after a load that failed: it is served for a while without another attempt.
      if (clock.now() >= entry.until) entry.holdOff(clock.now(), backoffMs());
      return memory.fill(entry);
    },
    getRemainingTtl: () => undefined,
    delete: unused,
    deleteMany: unused,
    pull: unused,
    clear: unused,
    disconnect: async () => undefined,
  };
  return driver as unknown as L1CacheDriver;
}

function l2({ memory, clock, found }: BentoTiers, shared: SharedTier): L2CacheDriver {
  const driver = {
    type: 'l2',
    namespace: unused,
    get: (lane: string) => {
      const entry = found(fullOf(lane));
      return Promise.resolve(entry && itemOf(entry, clock));
    },
    set: async (_lane: string, { value: entry }: Item) => {
      if (!entry.write) return true;
      if (!entry.write.lease) {
        await shared.set([entry]);
        return true;
      }
      if (!(await shared.store(entry))) memory.drop(entry);
      return true;
    },
    delete: unused,
    deleteMany: unused,
    pull: unused,
    clear: unused,
    disconnect: async () => undefined,
  };
  return driver as unknown as L2CacheDriver;
}
