import { Global, Module } from '@nestjs/common';
import {
  Cache,
  type CachedLoader,
  type EntryOptions,
  type GetOrSetOptions,
  type Load,
  type LoaderDefinition,
} from '../../src/cache.js';
interface E {
  value: unknown;
  until: number;
  tags: readonly string[];
}
export class MapCache extends Cache {
  constructor(
    readonly all: Map<string, E> = new Map(),
    readonly at = '',
  ) {
    super();
  }
  async get<T>(key: string) {
    const e = this.all.get(this.at + key);
    return (e && e.until > Date.now() ? e.value : undefined) as T | undefined;
  }
  async getOrSet<T>(key: string, load: Load<T>, o: GetOrSetOptions = {}) {
    const had = await this.get<T>(key);
    if (had !== undefined) return had;
    let skip = false;
    const value = await load({
      signal: new AbortController().signal,
      stale: undefined,
      options: x => Object.assign(o, x),
      skip: () => {
        skip = true;
      },
    });
    if (!skip) await this.set(key, value, o);
    return value;
  }
  async set(key: string, value: unknown, o: EntryOptions = {}) {
    this.all.set(this.at + key, {
      value,
      until: Date.now() + (typeof o.ttlMs === 'number' ? o.ttlMs : 1e6),
      tags: o.tags ?? [],
    });
  }
  async has(key: string) {
    return (await this.get(key)) !== undefined;
  }
  async delete(key: string) {
    return this.all.delete(this.at + key);
  }
  async deleteMany(keys: readonly string[]) {
    for (const k of keys) this.all.delete(this.at + k);
  }
  async deleteByTag(...tags: string[]) {
    for (const [k, e] of this.all) if (k.startsWith(this.at) && e.tags.some(t => tags.includes(t))) this.all.delete(k);
  }
  async clear() {
    return this.clearPrefix('');
  }
  async clearPrefix(p: string) {
    for (const k of this.all.keys()) if (k.startsWith(this.at + p)) this.all.delete(k);
  }
  async getMany<T>(keys: readonly string[]) {
    const m = new Map<string, T>();
    for (const k of keys) {
      const v = await this.get<T>(k);
      if (v !== undefined) m.set(k, v);
    }
    return m;
  }
  async setMany(entries: Iterable<readonly [string, unknown]>, o?: EntryOptions) {
    for (const [k, v] of entries) await this.set(k, v, o);
  }
  namespace(name: string): Cache {
    return new MapCache(this.all, `${this.at}${name}:`);
  }
  define<Args extends readonly unknown[], T>(_n: string, _d: LoaderDefinition<Args, T>): CachedLoader<Args, T> {
    throw new Error('none');
  }
}
@Global()
@Module({ providers: [{ provide: Cache, useFactory: () => new MapCache() }], exports: [Cache] })
export class MapCacheModule {}
