import type { Clock } from '@core-infra/kernel';
import type { Cache } from '../cache.js';
import type { SessionStorage } from './session.storage.js';

/** Text carries any serialiser of the cache; `null` has ended. */
interface Kept {
  readonly bytes: string | null;
  readonly until: number;
}

/** Sessions in a cache of this process. */
export class CacheStorage implements SessionStorage {
  readonly isAvailable = true;
  private readonly kept: Cache;
  private readonly turns = new Map<string, Promise<unknown>>();

  constructor(
    cache: Cache,
    namespace: string,
    private readonly clock: Clock,
  ) {
    this.kept = cache.namespace(namespace);
  }

  read(key: string, renewMs?: number): Promise<Buffer | undefined> {
    return this.inTurn(key, async () => {
      const bytes = bytesOf(await this.now(key));
      if (bytes && renewMs !== undefined) await this.put(key, bytes, renewMs);
      return bytes;
    });
  }

  write(key: string, bytes: Buffer, ttlMs: number, expected?: Buffer): Promise<'written' | 'ended' | 'changed'> {
    return this.inTurn(key, async () => {
      const now = await this.now(key);
      if (now ? now.bytes === null : expected) return 'ended';
      if (expected && !expected.equals(bytesOf(now)!)) return 'changed';
      await this.put(key, bytes, ttlMs);
      return 'written';
    });
  }

  async renew(key: string, ttlMs: number): Promise<void> {
    await this.read(key, ttlMs);
  }

  end(key: string, rememberMs: number): Promise<Buffer | undefined> {
    return this.inTurn(key, async () => {
      const bytes = bytesOf(await this.now(key));
      await this.put(key, null, rememberMs);
      return bytes;
    });
  }

  onAvailability(): () => void {
    return () => undefined;
  }

  private async now(key: string): Promise<Kept | undefined> {
    const kept = await this.kept.get<Kept>(key);
    return kept && this.clock.now() < kept.until ? kept : undefined;
  }

  /** The cache may let an entry go before its time (jitter), which no session should: it is told twice the time, and the end is our own. */
  private put(key: string, bytes: Buffer | null, ttlMs: number): Promise<void> {
    const kept: Kept = { bytes: bytes?.toString('base64') ?? null, until: this.clock.now() + ttlMs };
    return this.kept.set(key, kept, { ttlMs: ttlMs * 2, graceMs: 0 });
  }

  /** One after the other for a key, as a store that is one process's own can be. */
  private inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.turns.get(key) ?? Promise.resolve()).then(work, work);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.turns.set(key, settled);
    void settled.then(() => {
      if (this.turns.get(key) === settled) this.turns.delete(key);
    });
    return turn;
  }
}

function bytesOf(kept: Kept | undefined): Buffer | undefined {
  return kept?.bytes == null ? undefined : Buffer.from(kept.bytes, 'base64');
}
