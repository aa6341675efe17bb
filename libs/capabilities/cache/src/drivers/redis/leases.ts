import type { Clock } from '@core-infra/kernel';
import type { RedisClient } from '@core-infra/redis';
import type { CacheConfig } from '../../cache.config.js';
import type { Entry, Lease, PendingWrite } from '../../tiers/entry.js';
import type { Link } from './link.js';
import { leadScript, releaseScript, renewScript, storeScript } from './scripts.js';
import { Waiters } from './waiters.js';
import { keptFor, recordOf } from './write-record.js';

export interface LeaseRequest {
  readonly full: string;
  /** The write that was seen; `''` for none, `*` for any. */
  readonly rev: string;
  /** Whether to take it from whoever has it. */
  readonly force: boolean;
  /** The log's latest place that is known. */
  readonly asOf: number;
  /** Leases that were asked for before this place do not count any more. */
  readonly since: number;
}

/** A place in the log as text that sorts as it does: what the token of a lease begins with. */
const place = (id: number): string => id.toString(36).padStart(10, '0');

/** The leases by which one process of many loads an entry. */
export class Leases {
  readonly waiters = new Waiters();
  private readonly renewals = new Set<NodeJS.Timeout>();

  constructor(
    private readonly client: RedisClient,
    private readonly link: Link,
    private readonly config: CacheConfig,
    private readonly name: (full: string) => string,
  ) {}

  /** @returns the lease; or for how long another process has it, in milliseconds, 0 when the entry has changed */
  async ask({ full, rev, force, asOf, since }: LeaseRequest): Promise<Lease | number | 'away'> {
    if (!this.link.isReady) return 'away';
    const token =
      place(asOf) +
      Math.floor(Math.random() * 36 ** 6)
        .toString(36)
        .padStart(6, '0');
    const { leaseMs } = this.config.redis;
    const name = this.name(full);
    try {
      const args = [token, leaseMs, rev, force ? '1' : '0', place(since)];
      const answer = String(await this.link.run(() => leadScript.run(this.client, [name], args)));
      if (answer === 'changed') return 0;
      if (answer.startsWith('wait:')) return Math.max(1, Number(answer.slice(5)));
    } catch {
      // Away, or the key is somebody else's: each process loads for itself.
      return 'away';
    }
    return this.held(name, token);
  }

  /** @returns whether the lease still held */
  async store(token: string, entry: Entry, write: PendingWrite, clock: Clock): Promise<boolean> {
    const args = [token, recordOf(entry, write), keptFor(entry, clock)];
    return (await this.link.run(() => storeScript.run(this.client, [this.name(entry.full)], args))) === 1;
  }

  close(): void {
    for (const timer of this.renewals) clearInterval(timer);
    this.waiters.wakeAll();
  }

  private held(name: string, token: string): Lease {
    const { leaseMs } = this.config.redis;
    const renew = (): void => {
      // A renewal that fails leaves the lease to expire; then another process may load as well.
      this.link.run(() => renewScript.run(this.client, [name], [token, leaseMs])).catch(() => undefined);
    };
    const timer = setInterval(renew, leaseMs / 3).unref();
    this.renewals.add(timer);
    const end = (): void => {
      clearInterval(timer);
      this.renewals.delete(timer);
    };
    const release = async (): Promise<void> => {
      end();
      // One that could not be given up expires.
      await this.link.run(() => releaseScript.run(this.client, [name], [token])).catch(() => undefined);
    };
    return { token, end, release };
  }
}
