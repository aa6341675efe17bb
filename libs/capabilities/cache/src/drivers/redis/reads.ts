import type { RedisClient } from '@core-infra/redis';
import type { SharedSite } from '../../assemble-cache.js';
import type { Found } from '../../tiers/shared-tier.js';
import type { Space } from '../../tiers/space.js';
import { getAll } from './commands.js';
import type { Link } from './link.js';
import { decodeRecord, type EntryRecord, revOf } from './record.js';

export interface ReadsSite extends Pick<SharedSite, 'memory' | 'values' | 'clock'> {
  /** Name in Redis of a full key. */
  name(full: string): string;
  /** Resolves when a namespace's marks are known. */
  opened(space: Space): Promise<void>;
  /** Resolves when the marks of tags are known, too. */
  learn(space: Space, tags: Iterable<string>): Promise<void>;
  refused(error: Error): void;
}

interface Waiting {
  readonly space: Space;
  readonly full: string;
  readonly resolve: (found: Found) => void;
}

export const nothing: Found = { entry: undefined, rev: '' };

/** Reads of one turn of the event loop go to Redis in one command, and each of them costs its caller one promise. */
export class Reads {
  private waiting: Waiting[] = [];
  private readonly next = (): void => void this.send();

  constructor(
    private readonly client: RedisClient,
    private readonly link: Link,
    private readonly site: ReadsSite,
  ) {}

  /** What Redis has of a key, as far as it holds. Never rejects. */
  read(space: Space, full: string): Promise<Found> {
    return new Promise(resolve => {
      if (this.waiting.push({ space, full, resolve }) === 1) setImmediate(this.next);
    });
  }

  private async send(): Promise<void> {
    const asked = this.waiting;
    this.waiting = [];
    const { memory } = this.site;
    // Whatever is invalidated from here on is newer than what the answer says.
    const { seq } = memory;
    let records: (EntryRecord | undefined)[];
    try {
      records = await this.ask(asked);
    } catch (error) {
      this.site.refused(error as Error);
      for (const { resolve } of asked) resolve(nothing);
      return;
    }
    for (let at = 0; at < asked.length; at += 1) asked[at]!.resolve(this.judge(asked[at]!, records[at], seq));
  }

  private async ask(asked: readonly Waiting[]): Promise<(EntryRecord | undefined)[]> {
    const { site } = this;
    const answer = this.link.run(() =>
      getAll(
        this.client,
        asked.map(({ full }) => site.name(full)),
      ),
    );
    const unopened = new Set<Space>();
    for (const { space } of asked) if (!space.isOpen) unopened.add(space);
    if (unopened.size > 0) await Promise.all([answer, ...Array.from(unopened, space => site.opened(space))]);
    const records = (await answer).map(bytes => (bytes === null ? undefined : decodeRecord(bytes)));
    const unknown = new Map<Space, Set<string>>();
    for (const [at, record] of records.entries()) {
      if (record === undefined || record.tags.length === 0) continue;
      const { space } = asked[at]!;
      if (!space.knowsAllTags) unknown.set(space, new Set([...(unknown.get(space) ?? []), ...record.tags]));
    }
    if (unknown.size > 0) await Promise.all(Array.from(unknown, ([space, tags]) => site.learn(space, tags)));
    return records;
  }

  private judge({ space, full }: Waiting, record: EntryRecord | undefined, seq: number): Found {
    if (record === undefined) return nothing;
    const { bytes, asOf, freshUntil, graceMs, tags, valueAt } = record;
    const now = this.site.clock.now();
    if (now >= freshUntil + graceMs || !space.holdsShared(full, tags, asOf))
      return { entry: undefined, rev: revOf(bytes) };
    const { values } = this.site;
    const fields = { space, full, freshUntil, graceMs, tags, seq };
    try {
      const entry = valueAt === undefined ? values.nothing(fields) : values.received(fields, bytes, valueAt);
      // Who finds it fresh has no use for the name of the write.
      return { entry, rev: entry !== undefined && now < freshUntil ? '' : revOf(bytes) };
    } catch (error) {
      this.site.refused(error as Error);
      return { entry: undefined, rev: revOf(bytes) };
    }
  }
}
