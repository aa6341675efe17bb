import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { luaScript, type RedisClient } from '@core-infra/redis';
import type { InboxConfig } from '../../inbox/inbox.config.js';
import type { Inbox } from '../../stores/inbox.js';

const DONE = 'done';
const shortestPauseMs = 20;
const longestPauseMs = 500;

/** Takes a key that nobody has. Returns what it holds: the owner's own mark, another's, or that the event was handled. */
const claim = luaScript<string>({
  name: 'inbox-claim',
  keys: 1,
  source: `local held = redis.call('GET', KEYS[1])
if held then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`,
  parse: String,
});

/** Gives a key up that is the owner's still. */
const release = luaScript({
  name: 'inbox-release',
  keys: 1,
  source: `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`,
});

/** A key for each group and event: held by who is at work on it, and then a mark that it was handled. */
export class RedisInbox implements Inbox {
  constructor(
    private readonly client: RedisClient,
    private readonly config: Pick<InboxConfig, 'prefix' | 'retentionMs' | 'leaseMs'>,
    private readonly unrecorded: (error: Error) => void,
  ) {}

  async once(
    group: string,
    ids: readonly string[],
    work: (fresh: readonly number[]) => Promise<readonly number[]>,
    limit?: { readonly signal: AbortSignal },
  ): Promise<readonly number[]> {
    const owner = randomUUID();
    const keys = ids.map(id => `${this.config.prefix}${group}:${createHash('sha256').update(id).digest('base64url')}`);
    // Of an event that is twice in a batch, the first is handled.
    const firsts = [...new Set(keys)].map(key => keys.indexOf(key));
    const fresh = await this.claimAll(owner, firsts, keys, limit);
    const repeated = [...keys.keys()].filter(at => !fresh.includes(at));
    if (fresh.length === 0) return repeated;
    let failed: readonly number[];
    try {
      failed = await work(fresh);
    } catch (error) {
      await this.releaseAll(owner, fresh, keys);
      throw error;
    }
    await this.releaseAll(owner, failed, keys);
    const handled = fresh.filter(at => !failed.includes(at));
    try {
      await Promise.all(handled.map(at => this.client.set(keys[at]!, DONE, 'PX', this.config.retentionMs)));
    } catch (error) {
      // The effects are there: a failure would only have them come again.
      this.unrecorded(error as Error);
    }
    return repeated;
  }

  /**
   * Waits while somebody else is at work on one of them, holding none meanwhile: two batches would wait for each other. It rejects when the attempt is
   * over: the next one begins with a claim of its own.
   */
  private async claimAll(
    owner: string,
    places: readonly number[],
    keys: readonly string[],
    limit: { readonly signal: AbortSignal } | undefined,
  ): Promise<number[]> {
    for (let pause = shortestPauseMs; ; pause = Math.min(longestPauseMs, pause * 2)) {
      const held = await Promise.all(
        places.map(at => claim.run(this.client, [keys[at]!], [owner, this.config.leaseMs])),
      );
      const own = places.filter((_place, n) => held[n] === owner);
      if (held.every(value => value === owner || value === DONE)) return own;
      await this.releaseAll(owner, own, keys);
      const signal = limit?.signal;
      signal?.throwIfAborted();
      await sleep(pause * (0.5 + Math.random() / 2), undefined, signal && { signal });
    }
  }

  /** What cannot be given up is free when its lease is over. */
  private async releaseAll(owner: string, places: readonly number[], keys: readonly string[]): Promise<void> {
    await Promise.allSettled(places.map(at => release.run(this.client, [keys[at]!], [owner])));
  }
}
