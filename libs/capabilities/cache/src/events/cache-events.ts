import { channel, type Channel } from 'node:diagnostics_channel';

/** What happened: a closed list, fit for a label. */
export type CacheEventKind =
  | 'hit'
  | 'miss'
  | 'stale'
  | 'load'
  | 'load-failed'
  | 'load-refused'
  | 'eviction'
  | 'invalidation'
  | 'unavailable'
  | 'available';

/** An event on the channel `infra:cache:event`. Keys, values and names of namespaces are never in it. */
export interface CacheEvent {
  /** The cache's id: `cache`, `cache:sessions`. */
  readonly connection: string;
  readonly kind: CacheEventKind;
  /** Where a hit came from: `l1` is this process, `l2` is Redis. */
  readonly tier?: 'l1' | 'l2';
  /** Of hits and loads, in milliseconds. */
  readonly durationMs?: number;
}

export const cacheEvents: Channel<unknown, CacheEvent> = channel('infra:cache:event') as Channel<unknown, CacheEvent>;

/** Counts since the process began. */
export interface CacheStats {
  readonly l1Hits: number;
  readonly l2Hits: number;
  readonly misses: number;
  readonly stale: number;
  readonly loads: number;
  readonly failedLoads: number;
  /** Values that were not kept, as they were invalidated while they were loaded. */
  readonly refusedLoads: number;
  readonly invalidations: number;
  readonly evictions: number;
  readonly entries: number;
  readonly bytes: number;
}

/** Counts what happens in one cache, and says it to whoever listens. */
export class Meter {
  l1Hits = 0;
  readonly counts: Record<Exclude<CacheEventKind, 'hit'>, number> & { l2: number } = {
    l2: 0,
    miss: 0,
    stale: 0,
    load: 0,
    'load-failed': 0,
    'load-refused': 0,
    eviction: 0,
    invalidation: 0,
    unavailable: 0,
    available: 0,
  };

  constructor(private readonly connection: string) {}

  /** Whether durations are worth measuring. */
  get isHeard(): boolean {
    return cacheEvents.hasSubscribers;
  }

  hit(tier: 'l1' | 'l2', durationMs: number): void {
    if (tier === 'l1') this.l1Hits += 1;
    else this.counts.l2 += 1;
    if (cacheEvents.hasSubscribers) cacheEvents.publish({ connection: this.connection, kind: 'hit', tier, durationMs });
  }

  tell(kind: Exclude<CacheEventKind, 'hit'>, durationMs?: number): void {
    this.counts[kind] += 1;
    if (!cacheEvents.hasSubscribers) return;
    cacheEvents.publish({ connection: this.connection, kind, ...(durationMs !== undefined && { durationMs }) });
  }

  stats({ entries, bytes }: { entries: number; bytes: number }): CacheStats {
    const { counts } = this;
    return {
      l1Hits: this.l1Hits,
      l2Hits: counts.l2,
      misses: counts.miss,
      stale: counts.stale,
      loads: counts.load,
      failedLoads: counts['load-failed'],
      refusedLoads: counts['load-refused'],
      invalidations: counts.invalidation,
      evictions: counts.eviction,
      entries,
      bytes,
    };
  }
}
