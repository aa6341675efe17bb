import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CheckResult, type Clock, reasonOf } from '@core-infra/kernel';
import type { FlagChange, FlagChanges, FlagHistoryEntry, FlagSnapshot, FlagStore } from '../../flag-store.js';
import type { KeptFlags, SnapshotFile } from '../../snapshot/snapshot.file.js';
import { type Difference, differences, withChanges } from '../differences.js';
import { assertFlagName, FlagConflictError, FlagsBusyError, onlyOf } from '../errors.js';
import { parseHistoryLine } from '../history-line.js';
import { FlagsCopy } from './flags-copy.js';
import type { RedisFlagsConfig } from './redis-flags.config.js';
import type { RedisLink, Script } from './redis.link.js';
import { RedisWatch } from './redis.watch.js';
import { readScript, restoreScript, writeScript } from './scripts.js';
import { flagsOf, foundIn, nothingSeen, type Parse, type Seen, seenOf, StoredFlagsError } from './stored-flags.js';

export interface RedisFlagStoreOptions {
  readonly config: RedisFlagsConfig;
  readonly parse: Parse;
  readonly clock: Clock;
  readonly logger: { log(message: string): void; warn(message: string): void; debug(message: string): void };
  /** Where the last good flags are kept; nowhere without it. */
  readonly snapshot?: SnapshotFile;
}

/** How often a change is made anew on top of somebody else's before it is given up. */
const ATTEMPTS = 100;

const none: KeptFlags = { version: 0, revision: '', text: '', document: { flags: {} } };

/**
 * Flags in one hash of Redis: the whole document, its version, and a revision that no two states share. A change is one script, so that of
 * two at once both are kept; what is read is checked as a whole. Redis is the truth; while it is away the last good flags are served.
 */
export class RedisFlagStore implements FlagStore {
  private readonly key: string;
  private readonly historyKey: string;
  private readonly channel: string;
  private readonly scripts: { readonly read: Script; readonly write: Script; readonly restore: Script };
  private readonly copy: FlagsCopy;
  private readonly changes: RedisWatch;
  private connecting: Promise<void> | undefined;

  constructor(
    private readonly redis: RedisLink,
    private readonly options: RedisFlagStoreOptions,
  ) {
    const { key, pollMs } = options.config;
    // Braces: on a cluster both keys are on one node, as a script needs them.
    this.key = `{${key}}`;
    this.historyKey = `{${key}}:history`;
    this.channel = `{${key}}:changed`;
    const script = redis.script.bind(redis);
    this.scripts = { read: script(readScript), write: script(writeScript), restore: script(restoreScript) };
    this.copy = new FlagsCopy(options.parse, options.snapshot, options.logger);
    this.changes = new RedisWatch(redis, { channel: this.channel, pollMs, sync: () => this.syncQuietly() });
  }

  /**
   * The flags in Redis. While it is away, or holds what is not valid: the last good ones, of this process or of its snapshot file.
   * @throws RedisUnavailableError, or what is wrong with the document, when there are none
   */
  async read(): Promise<FlagSnapshot> {
    await this.connected();
    try {
      return this.copy.handOut(await this.sync());
    } catch (error) {
      const kept = await this.copy.fallBack();
      if (!kept) throw error;
      return this.copy.handOut(kept);
    }
  }

  watch(onSnapshot: (snapshot: FlagSnapshot) => void, onError: (error: unknown) => void): Promise<() => Promise<void>> {
    const forget = this.copy.listen(onSnapshot, onError);
    this.changes.start();
    return Promise.resolve(async () => {
      forget();
      if (!this.copy.isHeard) await this.changes.stop();
    });
  }

  /**
   * @throws FlagConflictError when `ifVersion` is no longer the newest
   * @throws InfraError when the document would not be valid with it, or is not valid as it is
   * @throws RedisUnavailableError while Redis is away. A change whose answer was lost may have been made; making it again does no harm
   */
  change({ flag, to, by, ifVersion }: FlagChange): Promise<FlagSnapshot> {
    return this.changeAll({ flags: { [flag]: to }, by, ifVersion });
  }

  async changeAll({ flags, by, ifVersion }: FlagChanges): Promise<FlagSnapshot> {
    for (const [flag, to] of Object.entries(flags)) if (to !== null) assertFlagName(flag);
    await this.connected();
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const now = (await this.load()) ?? (await this.restore()) ?? none;
      if (ifVersion !== undefined && ifVersion !== now.version)
        throw new FlagConflictError(onlyOf(flags), ifVersion, now.version);
      const changes = differences(now.document.flags, flags);
      if (changes.length === 0) return now;
      const next = this.changed(now, changes);
      if (await this.write(now, next, changes, by)) return this.copy.take(next);
      // Somebody else was first; those who lost should not all come back at once.
      await sleep(Math.random() * Math.min(50, 5 * attempt));
    }
    throw new FlagsBusyError(onlyOf(flags), ATTEMPTS);
  }

  async history({ flag, limit = 50 }: { flag?: string; limit?: number } = {}): Promise<readonly FlagHistoryEntry[]> {
    await this.connected();
    const lines = await this.redis.lrange(this.historyKey, 0, flag === undefined ? limit - 1 : -1);
    const entries = lines.flatMap(line => parseHistoryLine(line) ?? []);
    return entries.filter(entry => flag === undefined || entry.flag === flag).slice(0, limit);
  }

  /** Degraded while what is served is not what Redis holds. */
  check(): CheckResult {
    const { held, refusal, source } = this.copy;
    const facts = { version: held?.version ?? 0, flags: Object.keys(held?.document.flags ?? {}).length };
    const served = held ? `version ${held.version}, of ${source}, is served` : 'the defaults are served';
    if (!this.redis.isAvailable) return { ...facts, degraded: `Redis is away; ${served}` };
    if (refusal === undefined) return facts;
    return { ...facts, degraded: `what Redis holds is refused; ${served}: ${reasonOf(refusal)}` };
  }

  async close(): Promise<void> {
    await this.changes.stop();
    await this.options.snapshot?.settled();
  }

  /** @throws when Redis is away, or what it holds is not valid: then it is refused, whole */
  private async sync(): Promise<KeptFlags> {
    const found = await this.find(this.copy.seen);
    if (found === 'same') {
      if (this.copy.refusal !== undefined) throw this.copy.refusal;
      return this.copy.held ?? none;
    }
    if (found === 'nothing') return (await this.restore()) ?? none;
    try {
      return this.copy.take(flagsOf(this.key, found, this.options.parse));
    } catch (error) {
      this.copy.refuse(error, seenOf(found));
      throw error;
    }
  }

  private async syncQuietly(): Promise<string> {
    try {
      await this.sync();
    } catch (error) {
      // What was refused is reported, and that Redis is away is its connection's to tell.
      this.options.logger.debug(`The flags were not read: ${reasonOf(error)}`);
    }
    return this.copy.seen.revision;
  }

  /** What Redis holds, or nothing. */
  private async load(): Promise<KeptFlags | undefined> {
    const found = await this.find(nothingSeen);
    return typeof found === 'string' ? undefined : flagsOf(this.key, found, this.options.parse);
  }

  private async find(seen: Seen): Promise<ReturnType<typeof foundIn>> {
    try {
      return foundIn(await this.scripts.read([this.key], [seen.revision, seen.length]));
    } catch (error) {
      if (!reasonOf(error).includes('WRONGTYPE')) throw error;
      const refusal = new StoredFlagsError(this.key, 'is no hash', { cause: error });
      this.copy.refuse(refusal, nothingSeen);
      throw refusal;
    }
  }

  /** Redis has lost the flags: puts the last good ones back, unless another process was first. */
  private async restore(): Promise<KeptFlags | undefined> {
    const kept = await this.copy.fallBack();
    if (!kept) return undefined;
    const { version, revision, text } = kept;
    const done = await this.scripts.restore([this.key], [version, revision, text, this.channel]);
    if (done !== 1) return this.load().then(flags => flags && this.copy.take(flags));
    this.options.logger.warn(`Redis had no flags under ${this.key}: version ${version} was put back`);
    return this.copy.take(kept);
  }

  private changed(now: KeptFlags, changes: readonly Difference[]): KeptFlags {
    const text = JSON.stringify(withChanges(now.document, changes));
    return { version: now.version + 1, revision: randomUUID(), text, document: this.options.parse(text) };
  }

  private async write(now: KeptFlags, next: KeptFlags, changes: readonly Difference[], by: string): Promise<boolean> {
    const { version } = next;
    const at = new Date(this.options.clock.now()).toISOString();
    const lines = changes.map(change => JSON.stringify({ version, at, by, ...change } satisfies FlagHistoryEntry));
    const seen = now === none ? nothingSeen : seenOf(now);
    const { historyLimit } = this.options.config;
    const done = await this.scripts.write(
      [this.key, this.historyKey],
      [seen.revision, seen.length, version, next.revision, next.text, this.channel, historyLimit, ...lines],
    );
    return done === 1;
  }

  /** At a boot the connection may still be on its way: waits for it, once and within `bootWaitMs`. */
  private connected(): Promise<void> {
    return (this.connecting ??= this.redis.isAvailable ? Promise.resolve() : this.becomesAvailable());
  }

  private async becomesAvailable(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let forget: (() => void) | undefined;
    await new Promise<void>(done => {
      timer = setTimeout(done, this.options.config.bootWaitMs);
      forget = this.redis.onChange(available => available && done());
    });
    clearTimeout(timer);
    forget?.();
  }
}
