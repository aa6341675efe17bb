import { Logger } from '@nestjs/common';
import { type Clock, type Metric, type ReadMetrics, reasonOf } from '@core-infra/kernel';
import type { MetricsConfig } from './metrics.config.js';
import { merged, sane } from './sane-metrics.js';

/** Who can be asked for numbers, and has to ask a server for them. */
export interface MetricSource {
  /** `messaging:audit`, `OrdersBacklog`: for the label `source`. */
  readonly name: string;
  readonly read: ReadMetrics;
  /** The label `connection` of each number. */
  readonly connection?: string;
}

interface Asked {
  /** It has not answered yet, though its time may be over: it is not asked again beside itself. */
  isAtWork: boolean;
  failing: boolean;
}

/** Reads what contributors have, in bounded time, and no more often than once in `cacheMs` however many scrape. */
export class MetricSources {
  private readonly logger = new Logger('Metrics');
  private readonly asked = new Map<string, Asked>();
  private latest: readonly Metric[] = [];
  private freshUntil = Number.NEGATIVE_INFINITY;
  private pending?: Promise<readonly Metric[]>;

  constructor(
    private readonly sources: () => readonly MetricSource[],
    private readonly isTaken: (name: string) => boolean,
    private readonly config: Pick<MetricsConfig, 'cacheMs' | 'readTimeoutMs'>,
    private readonly clock: Clock,
  ) {}

  /** Never rejects: who fails is left out, and `infra_metrics_source_up` says so. */
  read(): Promise<readonly Metric[]> {
    if (this.clock.monotonic() < this.freshUntil) return Promise.resolve(this.latest);
    return (this.pending ??= this.readAll().finally(() => (this.pending = undefined)));
  }

  private async readAll(): Promise<readonly Metric[]> {
    const sources = this.sources();
    const read = await Promise.all(sources.map(source => this.ask(source)));
    const up: Metric = {
      name: 'infra_metrics_source_up',
      help: 'Whether the source has answered when it was asked for its numbers last.',
      samples: sources.map(({ name }, at) => ({ labels: { source: name }, value: Number(read[at] !== undefined) })),
    };
    this.latest = merged([...read.flatMap(metrics => metrics ?? []), up]);
    this.freshUntil = this.clock.monotonic() + this.config.cacheMs;
    return this.latest;
  }

  private async ask({ name, read, connection }: MetricSource): Promise<readonly Metric[] | undefined> {
    let asked = this.asked.get(name);
    if (!asked) this.asked.set(name, (asked = { isAtWork: false, failing: false }));
    if (asked.isAtWork) return undefined;
    try {
      const metrics = sane(await this.within(asked, read), connection, this.isTaken);
      asked.failing = false;
      return metrics;
    } catch (error) {
      // Once for each time that it begins to fail: scrapes come again and again.
      if (!asked.failing) this.logger.warn(`${name} has no numbers for /metrics at present: ${reasonOf(error)}`);
      asked.failing = true;
      return undefined;
    }
  }

  private async within(asked: Asked, read: ReadMetrics): Promise<readonly Metric[]> {
    const { readTimeoutMs } = this.config;
    const giveUp = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = new Error(`no answer within ${readTimeoutMs} ms`);
        giveUp.abort(error);
        setImmediate(() => reject(error)); // it may have something to say all the same
      }, readTimeoutMs);
    });
    asked.isAtWork = true;
    const work = (async () => read(giveUp.signal))().finally(() => (asked.isAtWork = false));
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
