import type { DriverSite } from '@core-infra/kernel';
import type { CacheConfig } from './cache.config.js';
import { createCodec } from './codec/create-codec.js';
import { EncryptionConfig } from './codec/encryption.config.js';
import type { ValueCodec } from './codec/value.codec.js';
import { type CacheStats, Meter } from './events/cache-events.js';
import { Loads, type LoadSite } from './loads/loads.js';
import { type CacheSite, TieredCache } from './tiered-cache.js';
import { bentoOver } from './tiers/bento.js';
import { MemoryTier } from './tiers/memory-tier.js';
import type { SharedTier } from './tiers/shared-tier.js';
import { Spaces } from './tiers/space.js';
import { Values } from './tiers/values.js';

/** What a shared store is made from. */
export interface SharedSite extends Omit<LoadSite, 'shared'> {
  readonly spaces: Spaces;
  readonly loads: () => Loads;
}

export interface Assembled {
  readonly cache: TieredCache;
  readonly shared: SharedTier | undefined;
  stats(): CacheStats;
  close(): Promise<void>;
}

/** Joins the parts of a cache: memory, and a shared store where `makeShared` makes one. */
export async function assembleCache(
  config: CacheConfig,
  at: DriverSite,
  makeShared?: (site: SharedSite) => SharedTier,
): Promise<Assembled> {
  const meter = new Meter(at.id);
  const spaces = new Spaces();
  const { clock, logger } = at;
  const memory = new MemoryTier(config.memory, clock, spaces, () => meter.tell('eviction'));
  const wire = makeShared && (await createCodec(config.codec, at));
  const values = new Values(config, clock, wire && isPlain(config) ? wire : await plainCodec(config, at), wire);
  const base = { config, clock, logger, meter, memory, values, spaces };
  const shared: SharedTier | undefined = makeShared?.({ ...base, loads: () => loads });
  const loads: Loads = new Loads({ ...base, shared });
  const bento = await bentoOver({
    memory,
    shared,
    clock,
    backoffMs: () => config.graceBackoffMs,
    found: full => loads.found(full),
  });
  loads.use(bento);
  const site: CacheSite = { ...base, shared, loads, trace: tracer(at) };
  return {
    cache: new TieredCache(site),
    shared,
    stats: () => meter.stats(memory.size),
    close: async () => {
      await shared?.close();
      memory.clear();
    },
  };
}

function tracer({ id, operations }: DriverSite): CacheSite['trace'] {
  return (operation, call) =>
    operations.hasSubscribers
      ? operations.tracePromise(call, { component: 'cache', connection: id, operation })
      : call();
}

function isPlain({ codec }: CacheConfig): boolean {
  return codec.compressAboveBytes === 0 && codec.encryption.keys.length === 0;
}

/** Values in this process are neither packed nor encrypted. */
function plainCodec({ codec }: CacheConfig, at: DriverSite): Promise<ValueCodec> {
  return createCodec({ ...codec, compressAboveBytes: 0, encryption: new EncryptionConfig() }, at);
}
