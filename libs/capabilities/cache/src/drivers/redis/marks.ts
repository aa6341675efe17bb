import type { RedisClient } from '@core-infra/redis';
import type { CacheConfig } from '../../cache.config.js';
import type { Sweep } from '../../tiers/shared-tier.js';
import type { Space, Spaces } from '../../tiers/space.js';
import type { Link } from './link.js';
import { idNumber, type LogMessage } from './log-reader.js';
import { markScript, openScript } from './scripts.js';

type Compose = (message: Pick<LogMessage, 'k' | 'n'>, path: string) => string;

/** The marks of namespaces in Redis: `clear`, tags and prefixes. They share a slot with the log, so that a mark and its message are one. */
export class Marks {
  constructor(
    private readonly client: RedisClient,
    private readonly link: Link,
    private readonly logKey: string,
    private readonly config: CacheConfig,
    private readonly spaces: Spaces,
    private readonly compose: Compose,
  ) {}

  /** Learns a namespace's marks, and those of the namespaces around it: once, then the log tells of changes. */
  open(space: Space, learn: (id: number) => void): Promise<void> {
    const opening = this.openAll(space, learn);
    space.opened = opening;
    opening.then(
      () => (space.isOpen = space.opened === opening),
      () => {
        if (space.opened === opening) space.opened = undefined;
      },
    );
    return opening;
  }

  /** Learns the marks of tags that are not known yet. */
  async learn(space: Space, tags: Iterable<string>): Promise<void> {
    const unknown = Array.from(tags).filter(tag => !space.tags.has(tag));
    if (unknown.length === 0) return;
    const found = await this.link.run(() => this.client.hmget(this.key(space.path), ...unknown.map(tag => `t:${tag}`)));
    unknown.forEach((tag, at) => space.markTag(tag, 0, idNumber(found[at] ?? '0-0')));
  }

  /** @returns its place in the log */
  async mark(path: string, sweep: Sweep): Promise<number> {
    const names = sweep.kind === 'tags' ? sweep.tags : sweep.kind === 'prefix' ? [sweep.prefix] : [];
    const message = this.compose({ k: sweep.kind, n: names }, path);
    const args = [this.config.redis.logLength, message, sweep.kind, ...names];
    const id = await this.link.run(() => markScript.run(this.client, [this.logKey, this.key(path)], args));
    return idNumber(String(id));
  }

  /** Notes a mark for what is read from Redis, and not for what this process has. */
  note(path: string, sweep: Sweep, id: number): void {
    if (sweep.kind === 'clear') for (const space of this.spaces.inside(path)) space.markCleared({ seq: 0, id });
    else if (sweep.kind === 'tags') for (const tag of sweep.tags) this.spaces.known(path)?.markTag(tag, 0, id);
    else this.spaces.known(path)?.markPrefix(sweep.prefix, 0, id);
  }

  private async openAll(space: Space, learn: (id: number) => void): Promise<void> {
    if (space.parent) await (space.parent.opened ?? this.open(space.parent, learn));
    const message = this.compose({ k: 'clear' }, space.path);
    const args = [this.config.redis.logLength, message];
    const [cleared, floor, prefixes, fields] = (await this.link.run(() =>
      openScript.run(this.client, [this.logKey, this.key(space.path)], args),
    )) as [string, string, string, string[] | null];
    const id = idNumber(cleared);
    learn(id);
    space.markCleared({ seq: 0, id: Math.max(id, space.parent?.cleared.id ?? 0) });
    space.tagFloor.id = Math.max(space.tagFloor.id, floor ? idNumber(floor) : 0);
    const marked = (prefixes ? JSON.parse(prefixes) : []) as [prefix: string, id: string][];
    for (const [prefix, at] of marked) space.markPrefix(prefix, 0, idNumber(at));
    if (!fields) return;
    for (let at = 0; at < fields.length; at += 2)
      if (fields[at]!.startsWith('t:')) space.markTag(fields[at]!.slice(2), 0, idNumber(fields[at + 1]!));
    space.knowsAllTags = true;
  }

  private key(path: string): string {
    return `{${this.config.redis.keyPrefix}}:in:${path}`;
  }
}
