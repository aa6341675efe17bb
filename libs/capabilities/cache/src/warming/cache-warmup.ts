import { AppState, Clock } from '@core-infra/kernel';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  Optional,
} from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { Cache } from '../cache.js';
import { CACHE_WARMER, type CacheWarmerSpec, type CacheWarming } from './cache-warmer.decorator.js';
import { CacheWarmingConfig } from './cache-warming.config.js';
import { DuplicateWarmerError } from './errors.js';
import { orAborted, type Progress, runLoads } from './warming-run.js';

interface Warmer {
  readonly spec: CacheWarmerSpec;
  readonly provider: CacheWarming;
}

/** Runs the app's warmers, all at once, each with its own concurrency. What fails is logged, and neither ends the boot nor the others. */
@Injectable()
export class CacheWarmup implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('CacheWarming');
  private readonly stop = new AbortController();
  private readonly clock: Clock;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly cache: Cache,
    private readonly config: CacheWarmingConfig,
    private readonly discovery: DiscoveryService,
    private readonly state: AppState,
    @Optional() @Inject(Clock) clock?: Clock,
  ) {
    this.clock = clock ?? Clock.system;
  }

  /** @throws DuplicateWarmerError */
  async onApplicationBootstrap(): Promise<void> {
    const warmers = this.find();
    if (!this.config.enabled) return;
    this.running = Promise.all(warmers.map(warmer => this.warm(warmer)));
    if (this.config.beforeReady) await this.running;
  }

  /** What a load needs may be closed after this. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private find(): Warmer[] {
    const found = new Map<string, Warmer>();
    for (const { instance, metatype } of this.discovery.getProviders()) {
      const provider = instance as CacheWarming | undefined;
      const source = typeof metatype === 'function' && provider ? provider.constructor : undefined;
      const spec = source && (Reflect.getMetadata(CACHE_WARMER, source) as CacheWarmerSpec | undefined);
      if (!provider || !spec || found.get(spec.name)?.provider === provider) continue;
      if (found.has(spec.name)) throw new DuplicateWarmerError(spec.name);
      found.set(spec.name, { spec, provider });
    }
    return [...found.values()];
  }

  /** Never rejects. */
  private async warm(warmer: Warmer): Promise<void> {
    const { name, onceEveryMs } = warmer.spec;
    const begun = this.clock.monotonic();
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new Error(`it took longer than ${this.config.timeoutMs} ms`)),
      this.config.timeoutMs,
    );
    const signal = AbortSignal.any([this.stop.signal, this.state.shuttingDown, late.signal]);
    const took = (): string => `${Math.round(this.clock.monotonic() - begun)} ms`;
    let own: Progress | undefined;
    const run = async (): Promise<boolean> => {
      own = { done: 0, failed: 0 };
      await this.run(warmer, own, signal);
      return true;
    };
    try {
      await orAborted(onceEveryMs > 0 ? this.once(name, run, onceEveryMs) : run(), signal);
      if (!own) this.logger.log(`${name}: another process has warmed the cache`, { warmer: name });
      else this.report(name, own, took());
    } catch (error) {
      const ends = this.stop.signal.aborted || this.state.shuttingDown.aborted;
      const what = signal.aborted ? 'stopped' : 'failed';
      const why = ends ? 'the app shuts down' : (error as Error).message;
      const fields = { warmer: name, done: own?.done ?? 0, failed: own?.failed ?? 0, ...(!ends && { err: error }) };
      this.logger.warn(`${name}: warming ${what} after ${took()}: ${why}`, fields);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The cache's own rule of one load for all processes is the lease: the entry says that it was done. */
  private once(name: string, run: () => Promise<boolean>, onceEveryMs: number): Promise<boolean> {
    return this.cache.namespace('cache-warming').getOrSet(name, run, {
      ttlMs: onceEveryMs,
      graceMs: 0,
      hardTimeoutMs: this.config.timeoutMs,
    });
  }

  private async run({ spec, provider }: Warmer, progress: Progress, signal: AbortSignal): Promise<void> {
    const { name, concurrency } = spec;
    this.logger.log(`${name}: warming the cache`, { warmer: name, concurrency });
    const timer = setInterval(
      () =>
        this.logger.log(`${name}: ${progress.done} done, ${progress.failed} failed`, {
          warmer: name,
          ...counts(progress),
        }),
      this.config.progressEveryMs,
    ).unref();
    try {
      const source = provider.warm(this.cache, signal);
      if (source instanceof Promise) await source;
      else await runLoads(source, concurrency, signal, progress);
      // What was broken off is not done: another process is to do it.
      signal.throwIfAborted();
    } finally {
      clearInterval(timer);
    }
  }

  private report(name: string, progress: Progress, took: string): void {
    const fields = { warmer: name, ...counts(progress) };
    if (progress.failed === 0) this.logger.log(`${name}: warmed the cache in ${took}, ${progress.done} loads`, fields);
    else
      this.logger.warn(
        `${name}: warmed the cache in ${took}, ${progress.failed} of ${progress.failed + progress.done} loads failed`,
        {
          ...fields,
          err: progress.error,
        },
      );
  }
}

function counts({ done, failed }: Progress): { done: number; failed: number } {
  return { done, failed };
}
