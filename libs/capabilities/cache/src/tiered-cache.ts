import {
  Cache,
  type CachedLoader,
  type EntryOptions,
  type GetOrSetOptions,
  type Load,
  type LoaderDefinition,
} from './cache.js';
import { defineLoader } from './loads/define-loader.js';
import { InvalidCacheKeyError } from './errors.js';
import type { Loads, LoadSite } from './loads/loads.js';
import { checkOptions, checkTags } from './options.js';
import type { Entry } from './tiers/entry.js';
import type { Sweep } from './tiers/shared-tier.js';
import type { Space, Spaces } from './tiers/space.js';

/** What the namespaces of one cache have in common. */
export interface CacheSite extends LoadSite {
  readonly spaces: Spaces;
  readonly loads: Loads;
  /** Reports a call that memory alone did not answer, on the channel `infra:cache`. */
  trace<T>(operation: string, call: () => Promise<T>): Promise<T>;
}

const operationOf = { clear: 'clear', tags: 'deleteByTag', prefix: 'clearPrefix' } as const;
const noOptions: GetOrSetOptions = Object.freeze({});

/** A namespace of a cache: memory before Redis, where there is one. */
export class TieredCache extends Cache {
  private readonly begins: string;

  constructor(
    private readonly site: CacheSite,
    private readonly space: Space = site.spaces.root,
  ) {
    super();
    this.begins = `${space.path}:`;
  }

  /** Whether other processes hold copies of its entries, which end a moment after they are told. */
  get isShared(): boolean {
    return this.site.shared !== undefined;
  }

  async get<T = unknown>(key: string): Promise<T | undefined> {
    const full = this.full(key);
    const { meter, values } = this.site;
    const hit = this.hit(full);
    if (hit) return values.read(hit) as T;
    const found = await this.site.trace('get', () => this.lookUp(full));
    if (found) return values.read(found) as T;
    meter.tell('miss');
    return undefined;
  }

  getOrSet<T>(key: string, load: Load<T>, options: GetOrSetOptions = noOptions): Promise<T> {
    let full: string;
    try {
      full = this.full(key);
      if (options !== noOptions) checkOptions(options);
      const hit = this.hit(full);
      if (hit) return Promise.resolve(this.site.values.read(hit) as T);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    return this.site.trace('getOrSet', () =>
      this.site.loads.get({ space: this.space, full, load, options }),
    ) as Promise<T>;
  }

  async set(key: string, value: unknown, options: EntryOptions = noOptions): Promise<void> {
    await this.setMany([[key, value]], options);
  }

  async has(key: string): Promise<boolean> {
    const full = this.full(key);
    if (this.site.memory.fresh(full)) return true;
    return (await this.site.trace('has', () => this.lookUp(full))) !== undefined;
  }

  async delete(key: string): Promise<boolean> {
    return (await this.forget([this.full(key)])) > 0;
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.forget(keys.map(key => this.full(key)));
  }

  async deleteByTag(...tags: string[]): Promise<void> {
    checkTags(tags);
    if (tags.length > 0) await this.sweep({ kind: 'tags', tags: [...new Set(tags)] });
  }

  clear(): Promise<void> {
    return this.sweep({ kind: 'clear' });
  }

  async clearPrefix(prefix: string): Promise<void> {
    if (typeof prefix !== 'string' || prefix === '') throw new InvalidCacheKeyError('The prefix of keys', prefix);
    await this.sweep({ kind: 'prefix', prefix });
  }

  async getMany<T = unknown>(keys: readonly string[]): Promise<Map<string, T>> {
    const { values } = this.site;
    const found = new Map<string, Entry>();
    const missing: string[] = [];
    for (const key of keys) {
      const full = this.full(key);
      const hit = this.hit(full);
      if (hit) found.set(full, hit);
      else missing.push(full);
    }
    const shared = await this.site.trace('getMany', () => this.shared(missing));
    for (const entry of shared) found.set(entry.full, entry);
    const answer = new Map<string, T>();
    for (const key of keys) {
      const entry = found.get(this.full(key));
      if (entry) answer.set(key, values.read(entry) as T);
      else this.site.meter.tell('miss');
    }
    return answer;
  }

  async setMany(
    entries: Iterable<readonly [key: string, value: unknown]>,
    options: EntryOptions = noOptions,
  ): Promise<void> {
    checkOptions(options);
    const { memory, values, shared, loads } = this.site;
    // All of them first: a value that cannot be cached leaves nothing half done.
    const given = [...entries].map(([key, value]) => {
      const full = this.full(key);
      return [full, values.prepare(value, full)] as const;
    });
    if (given.length === 0) return;
    const made = given.map(([full, prepared]) => {
      memory.forget(full);
      loads.leave(full);
      const entry = values.entry(this.space, full, prepared, options, { seq: memory.seq, asOf: shared?.asOf ?? 0 });
      memory.fill(entry);
      return entry;
    });
    await this.site.trace('set', async () => shared?.set(made));
  }

  namespace(name: string): Cache {
    return new TieredCache(this.site, this.site.spaces.within(this.space, name));
  }

  define<Args extends readonly unknown[], T>(
    name: string,
    definition: LoaderDefinition<Args, T>,
  ): CachedLoader<Args, T> {
    checkOptions(definition);
    const cache = new TieredCache(this.site, this.site.spaces.within(this.space, name));
    return defineLoader(cache, definition);
  }

  /** Loads an entry anew, whether there is one or not. */
  async refresh<T>(key: string, load: Load<T>, options: GetOrSetOptions = noOptions): Promise<T> {
    const request = { space: this.space, full: this.full(key), load, options, force: true };
    return (await this.site.trace('refresh', () => this.site.loads.get(request))) as T;
  }

  private full(key: unknown): string {
    if (typeof key !== 'string' || key === '') throw new InvalidCacheKeyError('The key', key);
    return this.begins + key;
  }

  private hit(full: string): Entry | undefined {
    const { memory, meter } = this.site;
    if (!meter.isHeard) {
      const entry = memory.fresh(full);
      if (entry) meter.l1Hits += 1;
      return entry;
    }
    const began = performance.now();
    const entry = memory.fresh(full);
    if (entry) meter.hit('l1', performance.now() - began);
    return entry;
  }

  /** What the shared store has, taken into memory; while it is away, what memory has that is stale. */
  private async lookUp(full: string): Promise<Entry | undefined> {
    const { shared } = this.site;
    if (!shared?.isReady) return (await this.shared([full]))[0];
    const began = performance.now();
    return this.taken((await shared.get(this.space, full)).entry, began);
  }

  private taken(entry: Entry | undefined, began: number): Entry | undefined {
    const { memory, meter, clock } = this.site;
    if (!entry || clock.now() >= entry.until) return undefined;
    memory.fill(entry);
    meter.hit('l2', performance.now() - began);
    return entry;
  }

  /** The same of many, taken into memory; while it is away, what memory has that is stale. */
  private async shared(fulls: readonly string[]): Promise<Entry[]> {
    const { shared, memory, meter } = this.site;
    if (!shared || fulls.length === 0) return [];
    // Without a loader to ask, a stale value is served only while the shared store cannot say better.
    if (!shared.isReady) {
      const stale = fulls.map(full => memory.any(full)).filter(entry => entry !== undefined);
      for (let at = 0; at < stale.length; at += 1) meter.tell('stale');
      return stale;
    }
    const began = performance.now();
    const found = await shared.getMany(this.space, fulls);
    return found.filter(entry => this.taken(entry, began) !== undefined);
  }

  private async forget(fulls: readonly string[]): Promise<number> {
    const { memory, loads, meter, shared } = this.site;
    const forget = (): number => {
      let count = 0;
      for (const full of fulls) {
        if (memory.forget(full)) count += 1;
        loads.leave(full);
      }
      return count;
    };
    meter.tell('invalidation');
    const here = forget();
    if (!shared) return here;
    const there = await this.site.trace('delete', () => shared.delete(fulls));
    // Once more: what was read from the store before it forgot them.
    forget();
    return Math.max(here, there);
  }

  private async sweep(sweep: Sweep): Promise<void> {
    const { meter, shared } = this.site;
    meter.tell('invalidation');
    this.sweepHere(sweep);
    if (!shared) return;
    await this.site.trace(operationOf[sweep.kind], () => shared.sweep(this.space, sweep));
    this.sweepHere(sweep);
  }

  private sweepHere(sweep: Sweep): void {
    sweepMemory(this.site, this.space.path, sweep, 0);
  }
}

/** Applies an invalidation to this process. @param id its place in the log; 0 where that is not known */
export function sweepMemory(
  { memory, loads }: Pick<CacheSite, 'memory' | 'loads'>,
  path: string,
  sweep: Sweep,
  id: number,
): void {
  if (sweep.kind === 'clear') memory.forgetSpace(path, id);
  else if (sweep.kind === 'tags') memory.forgetTags(path, sweep.tags, id);
  else memory.forgetPrefix(path, sweep.prefix, id);
  loads.leaveAll(path, sweep.kind === 'clear');
}
