import { pathOf } from '../keys.js';

/** The last invalidation of something: by this process's own count, and by its place in the log of Redis (0 before there is one). */
export interface Mark {
  seq: number;
  id: number;
}

export interface PrefixMark extends Mark {
  readonly prefix: string;
}

/** Marks that a process keeps for each namespace; what is forgotten counts as invalidated, so the bound costs hits and never truth. */
const MOST_TAGS = 10_000;
const MOST_PREFIXES = 512;

/**
 * What has been invalidated in a namespace as a whole. An entry says when its load began; it holds unless a later mark covers it. So `clear`,
 * `deleteByTag` and `clearPrefix` write one mark, however many entries there are.
 */
export class Space {
  /** Of this namespace or of one around it. */
  readonly cleared: Mark = { seq: 0, id: 0 };
  /** Whether a tag that is not among {@link tags} has not been invalidated, as far as Redis knows. */
  knowsAllTags = false;
  /** Tags that were forgotten. */
  readonly tagFloor: Mark = { seq: 0, id: 0 };
  readonly tags = new Map<string, Mark>();
  readonly prefixes = new Map<string, PrefixMark>();
  /** Resolves when the marks in Redis are known. */
  opened: Promise<void> | undefined;
  isOpen = false;

  constructor(
    readonly path: string,
    readonly parent: Space | undefined,
  ) {
    if (parent) this.markCleared(parent.cleared);
  }

  markCleared({ seq, id }: Mark): void {
    raise(this.cleared, seq, id);
  }

  markTag(tag: string, seq: number, id: number): void {
    const known = this.tags.get(tag) ?? { seq: 0, id: 0 };
    this.tags.delete(tag);
    this.tags.set(tag, raise(known, seq, id));
    if (this.tags.size > MOST_TAGS) this.forgetTag();
  }

  markPrefix(prefix: string, seq: number, id: number): void {
    const known = this.prefixes.get(prefix);
    this.prefixes.delete(prefix);
    this.prefixes.set(prefix, { prefix, seq: Math.max(known?.seq ?? 0, seq), id: Math.max(known?.id ?? 0, id) });
    if (this.prefixes.size <= MOST_PREFIXES) return;
    const [oldest] = this.prefixes.values();
    this.prefixes.delete(oldest!.prefix);
    this.markCleared(oldest!);
  }

  /** What Redis has marked is not known any more: it is asked again. */
  unlearn(): void {
    this.opened = undefined;
    this.isOpen = false;
    this.knowsAllTags = false;
    for (const { seq } of this.tags.values()) raise(this.tagFloor, seq, 0);
    this.tags.clear();
  }

  /** Whether an entry of this process, whose load began at `seq`, has been invalidated by its tags. */
  tagsHold(tags: readonly string[], seq: number): boolean {
    return seq >= this.tagFloor.seq && tags.every(tag => (this.tags.get(tag)?.seq ?? 0) <= seq);
  }

  /** The same for all marks: what an entry must pass to be taken in. */
  holds({
    full,
    tags,
    seq,
  }: {
    readonly full: string;
    readonly tags: readonly string[];
    readonly seq: number;
  }): boolean {
    if (seq < this.cleared.seq || (tags.length > 0 && !this.tagsHold(tags, seq))) return false;
    if (this.prefixes.size > 0)
      for (const mark of this.prefixes.values()) if (mark.seq > seq && this.begins(full, mark)) return false;
    return true;
  }

  /** The same for an entry in Redis, by the log; all its tags are known by then. */
  holdsShared(full: string, tags: readonly string[], asOf: number): boolean {
    if (asOf < this.cleared.id) return false;
    if (tags.length > 0) {
      if (asOf < this.tagFloor.id) return false;
      for (const tag of tags) if ((this.tags.get(tag)?.id ?? 0) > asOf) return false;
    }
    if (this.prefixes.size > 0)
      for (const mark of this.prefixes.values()) if (mark.id > asOf && this.begins(full, mark)) return false;
    return true;
  }

  /** The place in the log of the last invalidation that covers an entry, as far as its tags are known; 0 for none. */
  markedAt(full: string, tags: readonly string[]): number {
    let { id } = this.cleared;
    for (const tag of tags) id = Math.max(id, this.tags.get(tag)?.id ?? 0);
    for (const mark of this.prefixes.values()) if (this.begins(full, mark)) id = Math.max(id, mark.id);
    return id;
  }

  /** Whether the key of a full key begins so. */
  private begins(full: string, { prefix }: PrefixMark): boolean {
    return full.startsWith(prefix, this.path.length + 1);
  }

  private forgetTag(): void {
    const [oldest] = this.tags;
    this.tags.delete(oldest![0]);
    this.knowsAllTags = false;
    // Its place in the log can be asked for again; this process's own count of it is gone.
    raise(this.tagFloor, oldest![1].seq, 0);
  }
}

function raise(mark: Mark, seq: number, id: number): Mark {
  mark.seq = Math.max(mark.seq, seq);
  mark.id = Math.max(mark.id, id);
  return mark;
}

/** The namespaces that are in use: by a cache that somebody holds, or by an entry in memory. */
export class Spaces {
  private readonly byPath = new Map<string, WeakRef<Space>>();
  private readonly collected = new FinalizationRegistry<string>(path => {
    if (this.byPath.get(path)?.deref() === undefined) this.byPath.delete(path);
  });
  readonly root = this.add(new Space('', undefined));

  of(path: string): Space {
    const known = this.byPath.get(path)?.deref();
    if (known) return known;
    const cut = path.lastIndexOf('/');
    return this.add(new Space(path, path === '' ? undefined : this.of(path.slice(0, Math.max(cut, 0)))));
  }

  within(parent: Space, name: string): Space {
    return this.of(pathOf(parent.path, name));
  }

  /** A namespace that is in use; else nothing of it is in memory. */
  known(path: string): Space | undefined {
    return this.byPath.get(path)?.deref();
  }

  *all(): Iterable<Space> {
    for (const ref of this.byPath.values()) {
      const space = ref.deref();
      if (space) yield space;
    }
  }

  /** A namespace and all within it that are in use. */
  *inside(path: string): Iterable<Space> {
    for (const space of this.all()) if (isInside(space.path, path)) yield space;
  }

  private add(space: Space): Space {
    this.byPath.set(space.path, new WeakRef(space));
    this.collected.register(space, space.path);
    return space;
  }
}

/** Whether `path` is the namespace `outer` or lies within it. */
export function isInside(path: string, outer: string): boolean {
  return outer === '' || path === outer || path.startsWith(`${outer}/`);
}
