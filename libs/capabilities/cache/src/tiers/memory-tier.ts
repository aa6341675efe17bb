import type { Clock } from '@core-infra/kernel';
import { LRUCache } from 'lru-cache';
import type { Entry } from './entry.js';
import type { Spaces } from './space.js';

/** Single keys whose last invalidation is remembered; see {@link MemoryTier.fill}. */
const MOST_RECENT = 8_192;
/** What an entry takes besides its key and its value, about, in bytes. */
const ENTRY_BYTES = 288;

export interface MemoryLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/**
 * The entries in this process, bounded in number and in bytes. It counts invalidations, and takes in no entry whose load or read began before one
 * that covers it.
 */
export class MemoryTier {
  private readonly lru: LRUCache<string, Entry>;
  private readonly recent = new Map<string, number>();
  /** Invalidations up to here may have been forgotten. */
  private forgotten = 0;
  private count = 0;
  evictions = 0;

  constructor(
    limits: MemoryLimits,
    private readonly clock: Clock,
    private readonly spaces: Spaces,
    onEvict: () => void,
  ) {
    this.lru = new LRUCache({
      max: limits.maxEntries,
      maxSize: limits.maxBytes,
      sizeCalculation: entry => ENTRY_BYTES + entry.full.length * 2 + entry.size,
      dispose: (_entry, _key, reason) => {
        if (reason !== 'evict') return;
        this.evictions += 1;
        onEvict();
      },
      noDisposeOnSet: true,
    });
  }

  /** This process's count of invalidations: what a load or a read notes as it begins. */
  get seq(): number {
    return this.count;
  }

  get size(): { entries: number; bytes: number } {
    return { entries: this.lru.size, bytes: this.lru.calculatedSize };
  }

  /** An entry that is served as it is. */
  fresh(full: string): Entry | undefined {
    const entry = this.lru.get(full);
    if (entry === undefined || entry.seq < entry.space.cleared.seq || this.clock.now() >= entry.until) return undefined;
    if (entry.tags.length > 0 && !entry.space.tagsHold(entry.tags, entry.seq)) return undefined;
    return entry;
  }

  /** An entry that may still be served, be it stale. */
  any(full: string): Entry | undefined {
    const entry = this.lru.get(full);
    if (entry === undefined) return undefined;
    const holds = entry.seq >= entry.space.cleared.seq && entry.space.tagsHold(entry.tags, entry.seq);
    if (holds && this.clock.now() < entry.staleUntil) return entry;
    this.lru.delete(full);
    return undefined;
  }

  /** @returns whether it was taken in: not after an invalidation that came since its load or read began */
  fill(entry: Entry): boolean {
    const { seq } = entry;
    if (this.forgotten > seq || (this.count > seq && (this.recent.get(entry.full) ?? 0) > seq)) return false;
    if (!entry.space.holds(entry)) return false;
    this.lru.set(entry.full, entry);
    return true;
  }

  /** Takes an entry out if it is this very one. */
  drop(entry: Entry): void {
    if (this.lru.peek(entry.full) === entry) this.lru.delete(entry.full);
  }

  forget(full: string): boolean {
    const had = this.any(full) !== undefined;
    this.lru.delete(full);
    this.recent.delete(full);
    this.recent.set(full, ++this.count);
    if (this.recent.size > MOST_RECENT) {
      const [oldest] = this.recent;
      this.recent.delete(oldest![0]);
      this.forgotten = oldest![1];
    }
    return had;
  }

  forgetSpace(path: string, id: number): void {
    const seq = ++this.count;
    for (const space of this.spaces.inside(path)) space.markCleared({ seq, id });
  }

  forgetTags(path: string, tags: readonly string[], id: number): void {
    const seq = ++this.count;
    for (const tag of tags) this.spaces.known(path)?.markTag(tag, seq, id);
  }

  forgetPrefix(path: string, prefix: string, id: number): void {
    const seq = ++this.count;
    this.spaces.known(path)?.markPrefix(prefix, seq, id);
    const begins = `${path}:${prefix}`;
    for (const full of Array.from(this.lru.keys())) if (full.startsWith(begins)) this.lru.delete(full);
  }

  clear(): void {
    this.lru.clear();
  }
}
