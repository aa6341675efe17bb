import { AsyncLocalStorage } from 'node:async_hooks';
import { isNativeError } from 'node:util/types';
import type { Logger } from '@nestjs/common';
import type { Clock } from '@core-infra/kernel';
import type { CacheProvider } from 'bentocache/types';
import type { EntryOptions, GetOrSetOptions, Load } from '../cache.js';
import type { CacheConfig } from '../cache.config.js';
import type { Meter } from '../events/cache-events.js';
import { InvalidCacheOptionError, LoadCycleError } from '../errors.js';
import { checkOptions } from '../options.js';
import { Entry } from '../tiers/entry.js';
import type { MemoryTier } from '../tiers/memory-tier.js';
import type { SharedTier } from '../tiers/shared-tier.js';
import { isInside, type Space } from '../tiers/space.js';
import { absent, type LoadStart, type Values } from '../tiers/values.js';
import { Flight, type Outcome } from './flight.js';
import { Lane } from './lane.js';
import { within } from './within.js';

export interface LoadRequest {
  readonly space: Space;
  readonly full: string;
  readonly load: Load<unknown>;
  readonly options: GetOrSetOptions;
  /** Without looking whether there is an entry. */
  readonly force?: boolean;
}

export interface LoadSite {
  readonly config: CacheConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly memory: MemoryTier;
  readonly values: Values;
  readonly shared: SharedTier | undefined;
}

/** Loads what is not there: once for all who ask in this process, and by its lease once for all processes. */
export class Loads {
  private readonly lanes = new Map<string, Lane>();
  private count = 0;
  /** Whose loader is running. */
  private readonly loading = new AsyncLocalStorage<Flight>();
  private bento!: CacheProvider;

  constructor(private readonly site: LoadSite) {}

  /** To be called once, before anything else. */
  use(bento: CacheProvider): void {
    this.bento = bento;
  }

  async get(request: LoadRequest): Promise<unknown> {
    const { full, space, force } = request;
    if (typeof (request.load as unknown) !== 'function')
      throw new InvalidCacheOptionError('load', 'a function', request.load);
    const asker = this.loading.getStore();
    const joined = force ? undefined : this.lanes.get(full)?.flight;
    if (asker?.wouldNeverEnd(joined, full)) throw new LoadCycleError(space.path);
    const flight = joined ?? this.depart(request, asker);
    asker?.waitsFor.add(flight);
    try {
      const outcome = await flight.outcome;
      return outcome instanceof Entry ? this.site.values.read(outcome) : outcome.value;
    } finally {
      asker?.waitsFor.delete(flight);
    }
  }

  /** What the load of a key has found in the shared store. */
  found(full: string): Entry | undefined {
    return this.lanes.get(full)?.flight?.found?.entry;
  }

  /** After an invalidation: who asks from now on does not join a load that began before it. */
  leave(full: string): void {
    this.lanes.delete(full);
  }

  leaveAll(path: string, inside: boolean): void {
    for (const [full, { space }] of this.lanes)
      if (space.path === path || (inside && isInside(space.path, path))) this.lanes.delete(full);
  }

  private depart(request: LoadRequest, asker: Flight | undefined): Flight {
    const { full, space } = request;
    const lane = this.lanes.get(full) ?? new Lane((this.count += 1), full, space);
    this.lanes.set(full, lane);
    const flight = (lane.flight = new Flight(full, asker));
    flight.outcome = this.fly(request, lane, flight);
    return flight;
  }

  private async fly(request: LoadRequest, lane: Lane, flight: Flight): Promise<Outcome> {
    const { clock, memory, meter, shared } = this.site;
    lane.users += 1;
    try {
      if (shared?.isReady && !request.force) {
        const began = performance.now();
        flight.found = await shared.get(request.space, request.full);
        const { entry } = flight.found;
        if (entry && clock.now() < entry.until) {
          memory.fill(entry);
          meter.hit('l2', performance.now() - began);
          return entry;
        }
      }
      meter.tell('miss');
      return await this.settle(request, lane, flight);
    } finally {
      flight.end();
      if (lane.flight === flight) lane.flight = undefined;
      this.left(lane);
    }
  }

  private left(lane: Lane): void {
    lane.users -= 1;
    if (lane.users === 0 && this.lanes.get(lane.full) === lane) this.lanes.delete(lane.full);
  }

  /** By bentocache: loads; or serves what is stale, meanwhile or instead. */
  private async settle(request: LoadRequest, lane: Lane, flight: Flight): Promise<Outcome> {
    const { config, clock, meter } = this.site;
    const { options, force } = request;
    let unkept: Outcome | undefined;
    let loaded: Outcome | undefined;
    /** Whatever the loader threw, which bentocache wraps. */
    let failure: { readonly reason: unknown } | undefined;
    const softTimeoutMs = options.softTimeoutMs ?? config.softTimeoutMs;
    const graceMs = options.graceMs ?? config.graceMs;
    try {
      const result: unknown = await this.bento.getOrSet({
        key: lane.id,
        forceFresh: force ?? false,
        grace: graceMs > 0 ? graceMs : false,
        timeout: softTimeoutMs,
        factory: async context => {
          const stale: unknown = context.gracedEntry?.value;
          lane.users += 1;
          try {
            const outcome = await this.lead(request, flight, stale instanceof Entry ? stale : undefined);
            loaded = outcome;
            if (outcome instanceof Entry) return outcome;
            unkept = outcome;
            return context.skip() as never;
          } catch (reason) {
            failure = { reason };
            throw isNativeError(reason) ? reason : new Error('The loader threw what is no error.');
          } finally {
            this.left(lane);
          }
        },
      });
      const outcome = result instanceof Entry ? result : (unkept as Outcome);
      // One that was loaded just now may have a TTL of nothing: it is no stale one.
      if (outcome instanceof Entry && outcome !== loaded && clock.now() >= outcome.freshUntil) meter.tell('stale');
      return outcome;
    } catch (error) {
      throw failure ? failure.reason : error;
    }
  }

  /** The value of whoever may load it: this process, or another that has the lease. */
  private async lead(request: LoadRequest, flight: Flight, stale: Entry | undefined): Promise<Outcome> {
    const { shared, memory, config } = this.site;
    const hardTimeoutMs = request.options.hardTimeoutMs ?? config.hardTimeoutMs;
    const { space, full, force = false } = request;
    const rev = flight.found?.rev;
    return within(hardTimeoutMs, async signal => {
      const start: LoadStart = { seq: memory.seq, asOf: shared?.asOf ?? 0 };
      if (!shared) return this.load(request, flight, stale, start, signal);
      const lead = await shared.lead({ space, full, rev, tags: request.options.tags ?? [], force, signal });
      if (signal.aborted) {
        if (lead !== 'away' && 'lease' in lead) await lead.lease.release();
        signal.throwIfAborted();
      }
      if (lead === 'away') return this.load(request, flight, stale, { ...start, l1Only: true }, signal);
      if ('entry' in lead) return lead.entry;
      // Only now: what was invalidated while another process loaded is not what this load sees.
      const { lease } = lead;
      const fresh: LoadStart = { seq: memory.seq, asOf: shared.asOf, lease };
      // A loader that does not end at its signal is no reason to let the others wait.
      const overrun = (): void => void lease.release();
      signal.addEventListener('abort', overrun, { once: true });
      try {
        const outcome = await this.load(request, flight, stale, fresh, signal);
        if (!(outcome instanceof Entry)) await lease.release();
        return outcome;
      } catch (error) {
        await lease.release();
        throw error;
      } finally {
        signal.removeEventListener('abort', overrun);
      }
    });
  }

  private async load(
    request: LoadRequest,
    flight: Flight,
    stale: Entry | undefined,
    start: LoadStart,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { meter, values, config } = this.site;
    const { space, full, load, options } = request;
    let told: EntryOptions = options;
    let skipped = false;
    const began = performance.now();
    let value: unknown;
    try {
      value = await this.loading.run(flight, load, {
        signal,
        get stale() {
          return stale && values.read(stale);
        },
        options: more => {
          checkOptions(more);
          told = { ...told, ...more };
        },
        skip: () => void (skipped = true),
      });
      // The hard time-out has passed: whoever waited has gone.
      signal.throwIfAborted();
    } catch (error) {
      meter.tell('load-failed', performance.now() - began);
      throw error;
    }
    meter.tell('load', performance.now() - began);
    const isNothing = value === null || value === undefined;
    const negativeTtlMs = options.negativeTtlMs ?? config.negativeTtlMs;
    if (skipped || (isNothing && negativeTtlMs === 0)) return { kept: false, value };
    try {
      const prepared = value === undefined ? absent : values.prepare(value, full);
      return values.entry(space, full, prepared, isNothing ? { ...told, ttlMs: negativeTtlMs } : told, start);
    } catch (error) {
      this.site.logger.warn(`A loaded value is handed out and not kept: ${(error as Error).message}`, {
        namespace: space.path,
      });
      return { kept: false, value };
    }
  }
}
