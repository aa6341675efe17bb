import type { CheckResult } from '@core-infra/kernel';
import { type RedisClient, RedisUnavailableError } from '@core-infra/redis';
import { randomBytes } from 'node:crypto';
import type { SharedSite } from '../../assemble-cache.js';
import { splitFullKey, storedName } from '../../keys.js';
import { sweepMemory } from '../../tiered-cache.js';
import type { Entry } from '../../tiers/entry.js';
import type { Found, Lead, LeadRequest, SharedTier, Sweep } from '../../tiers/shared-tier.js';
import type { Space } from '../../tiers/space.js';
import { bundled, unlinkAll } from './commands.js';
import type { Debt } from './journal.js';
import { Leases } from './leases.js';
import { Link } from './link.js';
import { idNumber, type LogMessage } from './log-reader.js';
import { Marks } from './marks.js';
import { nothing, Reads } from './reads.js';
import { writeRecord } from './write-record.js';

/** Entries in Redis, which all processes of one `keyPrefix` share. */
export class RedisTier implements SharedTier {
  private readonly origin = randomBytes(9).toString('base64url');
  private readonly logKey: string;
  private readonly link: Link;
  private readonly marks: Marks;
  private readonly leases: Leases;
  private readonly reads: Reads;
  private known = 0;

  constructor(
    private readonly client: RedisClient,
    private readonly site: SharedSite,
  ) {
    const { config, logger } = site;
    const { keyPrefix } = config.redis;
    this.logKey = `{${keyPrefix}}:log`;
    this.link = new Link(
      client,
      this.logKey,
      config,
      {
        onMessage: (message, id) => this.hear(message, id),
        onGap: () => this.forgetAll(),
        onRollback: () => this.owe(() => this.link.journal.sweep('', { kind: 'clear' })),
        onReady: ready => site.meter.tell(ready ? 'available' : 'unavailable'),
        pay: debt => this.pay(debt),
      },
      logger,
    );
    this.marks = new Marks(client, this.link, this.logKey, config, site.spaces, (message, path) =>
      this.message(message, path),
    );
    this.reads = new Reads(client, this.link, {
      ...site,
      name: full => this.name(full),
      opened: space => this.opened(space),
      learn: (space, tags) => this.marks.learn(space, tags),
      refused: error => this.refused(error),
    });
    this.leases = new Leases(client, this.link, config, full => this.name(full));
    this.link.start();
  }

  /** Resolves when Redis can be used for the first time, or the signal aborts. */
  whenReady(signal: AbortSignal): Promise<void> {
    return this.link.whenReady(signal);
  }

  get isReady(): boolean {
    return this.link.isReady;
  }

  get asOf(): number {
    return this.known;
  }

  get(space: Space, full: string): Promise<Found> {
    return this.isReady ? this.reads.read(space, full) : Promise.resolve(nothing);
  }

  async getMany(space: Space, fulls: readonly string[]): Promise<Entry[]> {
    const found = await Promise.all(fulls.map(full => this.get(space, full)));
    return found.flatMap(({ entry }) => entry ?? []);
  }

  async set(entries: readonly Entry[]): Promise<void> {
    const fulls = entries.map(({ full }) => full);
    const wrote = await this.attempt(async () => {
      const { clock } = this.site;
      await this.opened(entries[0]!.space);
      await this.doAndTell('set', fulls, () =>
        Promise.all(entries.map(entry => writeRecord(this.client, this.name(entry.full), entry, this.known, clock))),
      );
    });
    // It may or may not have arrived; and others have the value before it.
    if (!wrote) this.owe(() => this.link.journal.keys(fulls));
    for (const entry of entries) entry.write = undefined;
  }

  async store(entry: Entry): Promise<boolean> {
    const write = entry.write!;
    const lease = write.lease!;
    entry.write = undefined;
    lease.end();
    let stored = true;
    const asked = await this.attempt(async () => {
      stored = await this.leases.store(lease.token, entry, write, this.site.clock);
    });
    if (!asked) this.owe(() => this.link.journal.keys([entry.full]));
    if (!stored) this.site.meter.tell('load-refused');
    // Whoever loaded has its value: it need not wait until the others have been told.
    else if (asked) void this.announce(entry.full);
    return stored;
  }

  async lead(request: LeadRequest): Promise<Lead> {
    const { full, space, tags, signal } = request;
    await this.attempt(() => this.opened(space));
    let rev = request.force ? '*' : (request.rev ?? '');
    while (!signal.aborted) {
      // A load from before the last invalidation is not worth waiting for.
      const since = space.markedAt(full, tags);
      const answer = await this.leases.ask({ full, rev, force: request.force, asOf: this.known, since });
      if (answer === 'away') return 'away';
      if (typeof answer !== 'number') {
        const { release } = answer;
        const releaseAndTell = async (): Promise<void> => {
          await release();
          await this.attempt(() => this.tell('fail', [full]));
        };
        return { lease: { ...answer, release: releaseAndTell } };
      }
      if (answer > 0) await this.leases.waiters.wait(full, Math.min(answer, this.site.config.redis.pollMs), signal);
      const found = await this.get(space, full);
      if (found.entry && this.site.clock.now() < found.entry.freshUntil) return { entry: found.entry };
      rev = found.rev;
    }
    return 'away';
  }

  async delete(fulls: readonly string[]): Promise<number> {
    let count = 0;
    const told = await this.attempt(async () => {
      count = await this.unlink(fulls);
    });
    if (!told) this.owe(() => this.link.journal.keys(fulls));
    return count;
  }

  async sweep(space: Space, sweep: Sweep): Promise<void> {
    const told = await this.attempt(() => this.mark(space.path, sweep));
    if (!told) this.owe(() => this.link.journal.sweep(space.path, sweep));
  }

  check(): CheckResult {
    const reason = this.link.reason;
    return {
      ...(reason && { degraded: `served from memory and the loaders: ${reason}` }),
      shared: reason ? 'away' : 'ready',
      owedInvalidations: this.link.journal.size,
    };
  }

  async close(): Promise<void> {
    this.leases.close();
    await this.link.close();
  }

  private opened(space: Space): Promise<void> {
    return space.opened ?? this.marks.open(space, id => this.learn(id));
  }

  private async mark(path: string, sweep: Sweep): Promise<void> {
    const id = await this.marks.mark(path, sweep);
    this.learn(id);
    sweepMemory({ memory: this.site.memory, loads: this.site.loads() }, path, sweep, id);
  }

  private async pay(debt: Debt): Promise<void> {
    if ('sweep' in debt) {
      const id = await this.marks.mark(debt.path, debt.sweep);
      this.learn(id);
      // What was made here since holds; what Redis has from before does not.
      this.marks.note(debt.path, debt.sweep, id);
      return;
    }
    await this.unlink(debt.keys);
  }

  private unlink(fulls: readonly string[]): Promise<number> {
    const names = fulls.map(full => this.name(full));
    return this.doAndTell('del', fulls, () => unlinkAll(this.client, names));
  }

  /** Others may hear of it once it is done: one server does what it is sent in that order, so it is one round trip; nodes of a cluster do not. */
  private async doAndTell<T>(kind: 'set' | 'del', fulls: readonly string[], work: () => Promise<T>): Promise<T> {
    const done = this.link.run(work);
    if (this.client.isCluster) await done;
    const [result] = await Promise.all([done, this.tell(kind, fulls)]);
    return result;
  }

  private async tell(kind: 'set' | 'del' | 'fail', fulls: readonly string[]): Promise<void> {
    for (const bundle of bundled(fulls)) {
      const text = this.message({ k: kind, n: bundle }, splitFullKey(bundle[0]!).path);
      const { logLength } = this.site.config.redis;
      const id = await this.link.run(() => this.client.xadd(this.logKey, 'MAXLEN', '~', logLength, '*', 'm', text));
      this.learn(idNumber(id!));
    }
  }

  /** Tells of a load; when that fails, others may have what was there before it. */
  private async announce(full: string): Promise<void> {
    const told = await this.attempt(() => this.tell('set', [full]));
    if (!told) this.owe(() => this.link.journal.keys([full]));
  }

  private message(message: Pick<LogMessage, 'k' | 'n'>, path: string): string {
    return JSON.stringify({ o: this.origin, s: path, ...message } satisfies LogMessage);
  }

  private learn(id: number): void {
    if (id > this.known) this.known = id;
  }

  /** From the log: what other processes did. What this one did is done. */
  private hear({ o, k, s, n = [] }: LogMessage, id: number): void {
    this.learn(id);
    if (o === this.origin) return;
    const { memory } = this.site;
    const loads = this.site.loads();
    if (k === 'clear') sweepMemory({ memory, loads }, s, { kind: 'clear' }, id);
    else if (k === 'tags') sweepMemory({ memory, loads }, s, { kind: 'tags', tags: n }, id);
    else if (k === 'prefix') sweepMemory({ memory, loads }, s, { kind: 'prefix', prefix: n[0]! }, id);
    else
      for (const full of n) {
        if (k !== 'fail') memory.forget(full);
        if (k !== 'fail') loads.leave(full);
        this.leases.waiters.wake(full);
      }
  }

  private forgetAll(): void {
    sweepMemory({ memory: this.site.memory, loads: this.site.loads() }, '', { kind: 'clear' }, 0);
    for (const space of this.site.spaces.all()) space.unlearn();
    this.leases.waiters.wakeAll();
  }

  private owe(add: () => void): void {
    add();
    this.link.owes();
  }

  /** @returns whether it worked; while Redis is away nothing is tried. What went wrong is Redis's business, and never the caller's. */
  private async attempt(work: () => Promise<unknown>): Promise<boolean> {
    if (!this.isReady) return false;
    try {
      await work();
      return true;
    } catch (error) {
      this.refused(error as Error);
      return false;
    }
  }

  private refused(error: Error): void {
    if (error instanceof RedisUnavailableError) return;
    this.site.logger.debug(`Redis refused a command of the cache: ${error.message}`);
  }

  private name(full: string): string {
    return `${this.site.config.redis.keyPrefix}:${storedName(full)}`;
  }
}
