import type { Sweep } from '../../tiers/shared-tier.js';
import { splitFullKey } from '../../keys.js';

interface Owed {
  cleared: boolean;
  readonly keys: Set<string>;
  readonly tags: Set<string>;
  readonly prefixes: Set<string>;
}

/** What has still to be done in Redis, in the order in which it does no harm. */
export type Debt =
  { readonly path: string; readonly sweep: Sweep } | { readonly path: string; readonly keys: readonly string[] };

/** Keys are made up for in bundles of so many. */
const BUNDLE = 500;

/** The invalidations that Redis has not heard of. Bounded: of too many in a namespace, a clear of it is left; of too many namespaces, a clear of all. */
export class Journal {
  private owed = new Map<string, Owed>();
  private items = 0;

  constructor(private readonly most: number) {}

  get size(): number {
    return this.items;
  }

  keys(fulls: readonly string[]): void {
    for (const full of fulls) this.add(splitFullKey(full).path, 'keys', full);
  }

  sweep(path: string, sweep: Sweep): void {
    if (sweep.kind === 'clear') this.clear(path);
    else if (sweep.kind === 'prefix') this.add(path, 'prefixes', sweep.prefix);
    else for (const tag of sweep.tags) this.add(path, 'tags', tag);
  }

  /** The next thing to do; to be taken out with {@link done} once it is. */
  next(): Debt | undefined {
    for (const [path, { cleared, keys, tags, prefixes }] of this.owed) {
      if (cleared) return { path, sweep: { kind: 'clear' } };
      if (tags.size > 0) return { path, sweep: { kind: 'tags', tags: [...tags].slice(0, BUNDLE) } };
      for (const prefix of prefixes) return { path, sweep: { kind: 'prefix', prefix } };
      return { path, keys: [...keys].slice(0, BUNDLE) };
    }
    return undefined;
  }

  done(debt: Debt): void {
    const owed = this.owed.get(debt.path);
    if (!owed) return;
    const remove = (from: Set<string>, items: readonly string[]): void => {
      for (const item of items) if (from.delete(item)) this.items -= 1;
    };
    if ('keys' in debt) remove(owed.keys, debt.keys);
    else if (debt.sweep.kind === 'tags') remove(owed.tags, debt.sweep.tags);
    else if (debt.sweep.kind === 'prefix') remove(owed.prefixes, [debt.sweep.prefix]);
    else if (owed.cleared) {
      owed.cleared = false;
      this.items -= 1;
    }
    if (!owed.cleared && owed.keys.size + owed.tags.size + owed.prefixes.size === 0) this.owed.delete(debt.path);
  }

  private add(path: string, kind: 'keys' | 'tags' | 'prefixes', item: string): void {
    // What is to be cleared is cleared as of then, with all that comes until then.
    if (this.owed.get(path)?.cleared || this.owed.get('')?.cleared) return;
    const set = this.of(path)[kind];
    if (!set.has(item)) {
      set.add(item);
      this.items += 1;
    }
    if (this.items > this.most) this.shrink();
  }

  private clear(path: string): void {
    const owed = this.of(path);
    this.items -= owed.keys.size + owed.tags.size + owed.prefixes.size;
    for (const set of [owed.keys, owed.tags, owed.prefixes]) set.clear();
    if (!owed.cleared) this.items += 1;
    owed.cleared = true;
    if (this.items > this.most) this.shrink();
  }

  private of(path: string): Owed {
    let owed = this.owed.get(path);
    if (!owed) this.owed.set(path, (owed = { cleared: false, keys: new Set(), tags: new Set(), prefixes: new Set() }));
    return owed;
  }

  private shrink(): void {
    const size = ({ keys, tags, prefixes }: Owed): number => keys.size + tags.size + prefixes.size;
    const [path, owed] = [...this.owed].reduce((most, next) => (size(next[1]) > size(most[1]) ? next : most));
    if (size(owed) > 1) return this.clear(path);
    // As many namespaces as there may be items: one clear of everything says it all.
    this.owed = new Map();
    this.items = 0;
    this.clear('');
  }
}
