import type { BentoCache } from 'bentocache';
import type { CacheProvider, L1CacheDriver, L2CacheDriver } from 'bentocache/types';
import type { Clock } from '@core-infra/kernel';
import type { Meter } from '../events/cache-events.js';
import { splitFullKey } from '../keys.js';
import type { Entry } from './entry.js';
import type { MemoryTier } from './memory-tier.js';
import type { SharedTier } from './shared-tier.js';
import type { Spaces } from './space.js';

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
  readonly spaces: Spaces;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly backoffMs: () => number;
  /** Told which write of an entry was seen in the shared store. */
  readonly onSeen: (full: string, rev: string) => void;
}

const silent = { emit: () => undefined, on: () => undefined, once: () => undefined, off: () => undefined };
const unused = (): never => {
  throw new TypeError('Not a part of this driver.');
};

/**
 * bentocache over our two tiers. It decides in which order they are asked, who loads, what is served stale and for how long a load may take. Bounds,
 * invalidation, times and the store are ours: its own items go through untouched.
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
    get: (full: string) => {
      const entry = memory.any(full);
      return entry && itemOf(entry, clock);
    },
    set: (_full: string, item: Item) => {
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

function l2({ memory, spaces, clock, meter, onSeen }: BentoTiers, shared: SharedTier): L2CacheDriver {
  const driver = {
    type: 'l2',
    namespace: unused,
    get: async (full: string) => {
      const began = meter.isHeard ? performance.now() : 0;
      const { entry, rev } = await shared.get(spaces.of(splitFullKey(full).path), full);
      onSeen(full, rev);
      if (!entry) return undefined;
      if (clock.now() < entry.until) meter.hit('l2', meter.isHeard ? performance.now() - began : 0);
      return itemOf(entry, clock);
    },
    set: async (_full: string, { value: entry }: Item) => {
      if (entry.l1Only) return true;
      if (!entry.lease) {
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
