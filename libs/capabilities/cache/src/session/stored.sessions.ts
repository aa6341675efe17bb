import { createHash, randomBytes } from 'node:crypto';
import type { DriverSite } from '@core-infra/kernel';
import type { ValueCodec } from '../codec/value.codec.js';
import { SessionContendedError, SessionsUnavailableError } from './errors.js';
import type { SessionStorage } from './session.storage.js';
import { type Session, Sessions } from './sessions.js';
import type { SessionsConfig } from './sessions.config.js';

interface Stored<Data> {
  readonly createdAt: number;
  readonly data: Data;
}

/** No request is under way for longer, in milliseconds. */
const REMEMBER_ENDED_MS = 600_000;
const UPDATE_ATTEMPTS = 20;

/** An id for a session: 256 random bits, also for the id generators of session middleware. */
export function newSessionId(): string {
  return randomBytes(32).toString('base64url');
}

/** {@link Sessions} over bytes that are stored somewhere. */
export class StoredSessions<Data extends object> extends Sessions<Data> {
  private readonly rememberMs: number;

  constructor(
    private readonly storage: SessionStorage,
    private readonly codec: ValueCodec,
    private readonly config: SessionsConfig,
    private readonly at: Pick<DriverSite, 'id' | 'clock'>,
  ) {
    super();
    this.rememberMs = Math.min(Math.max(config.ttlMs, 1_000), REMEMBER_ENDED_MS);
  }

  get isAvailable(): boolean {
    return this.storage.isAvailable;
  }

  onAvailability(listener: (available: boolean) => void): () => void {
    return this.storage.onAvailability(listener);
  }

  create(data: Data): Promise<Session<Data>> {
    return this.write(newSessionId(), { createdAt: this.at.clock.now(), data });
  }

  async read(id: string, renew: boolean = this.config.rolling): Promise<Session<Data> | undefined> {
    const { ttlMs } = this.config;
    const key = keyOf(id);
    const bytes = await this.asked(() => this.storage.read(key, renew ? ttlMs : undefined));
    return this.session(id, await this.alive(key, bytes));
  }

  async update(id: string, change: (data: Data) => Data): Promise<Session<Data> | undefined> {
    const key = keyOf(id);
    for (let attempt = 0; attempt < UPDATE_ATTEMPTS; attempt += 1) {
      const bytes = await this.asked(() => this.storage.read(key));
      const stored = await this.alive(key, bytes);
      if (!stored) return undefined;
      const next = { ...stored, data: change(stored.data) };
      const encoded = this.codec.encode(next, key);
      const outcome = await this.asked(() => this.storage.write(key, encoded, this.config.ttlMs, bytes));
      if (outcome === 'written') return this.session(id, next);
      if (outcome === 'ended') return undefined;
    }
    throw new SessionContendedError(UPDATE_ATTEMPTS);
  }

  async rotate(id: string, change: (data: Data) => Data = data => data): Promise<Session<Data> | undefined> {
    const key = keyOf(id);
    // The old one ends first: should the store go away now, there is no session, rather than two.
    const bytes = await this.asked(() => this.storage.end(key, this.rememberMs));
    const stored = this.decoded(key, bytes);
    return stored && this.write(newSessionId(), { ...stored, data: change(stored.data) });
  }

  async destroy(id: string): Promise<boolean> {
    return (await this.asked(() => this.storage.end(keyOf(id), this.rememberMs))) !== undefined;
  }

  async save(id: string, data: Data, ttlMs: number = this.config.ttlMs): Promise<void> {
    const key = keyOf(id);
    const known = this.config.absoluteTtlMs > 0 ? await this.asked(() => this.storage.read(key)) : undefined;
    const createdAt = this.stored(key, known)?.createdAt ?? this.at.clock.now();
    await this.write(id, { createdAt, data }, ttlMs);
  }

  async touch(id: string, ttlMs: number = this.config.ttlMs): Promise<void> {
    await this.asked(() => this.storage.renew(keyOf(id), ttlMs));
  }

  private async write(id: string, stored: Stored<Data>, ttlMs = this.config.ttlMs): Promise<Session<Data>> {
    const key = keyOf(id);
    const bytes = this.codec.encode(stored, key);
    await this.asked(() => this.storage.write(key, bytes, Math.max(1, Math.ceil(ttlMs))));
    return { id, data: stored.data, createdAt: stored.createdAt };
  }

  private session(id: string, stored: Stored<Data> | undefined): Session<Data> | undefined {
    return stored && { id, data: stored.data, createdAt: stored.createdAt };
  }

  /** What is stored, unless its time is over: then it ends here. */
  private async alive(key: string, bytes: Buffer | undefined): Promise<Stored<Data> | undefined> {
    const stored = this.decoded(key, bytes);
    if (!stored && bytes && this.stored(key, bytes)) await this.asked(() => this.storage.end(key, this.rememberMs));
    return stored;
  }

  private decoded(key: string, bytes: Buffer | undefined): Stored<Data> | undefined {
    const stored = this.stored(key, bytes);
    const { absoluteTtlMs } = this.config;
    const over = stored && absoluteTtlMs > 0 && this.at.clock.now() >= stored.createdAt + absoluteTtlMs;
    return over ? undefined : stored;
  }

  private stored(key: string, bytes: Buffer | undefined): Stored<Data> | undefined {
    return bytes && (this.codec.decode(bytes, key) as Stored<Data> | undefined);
  }

  private async asked<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new SessionsUnavailableError(this.at.id, { cause: error });
    }
  }
}

/** A store that leaks gives no session away. The ids are random, so that nothing slower than a hash is needed. */
function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
