import { InfraError } from '@core-infra/kernel';
import type { DriverSite } from '@core-infra/kernel';
import type { Cluster, Redis } from 'ioredis';
import type { AvailabilityMonitor } from '../availability/availability-monitor.js';
import { isCluster } from '../commands/internals.js';
import type { RedisConfig } from '../config/redis.config.js';
import { RedisDatabaseError, RedisTopologyError } from '../errors.js';
import { diagnose, hungUp, wrongMode } from './diagnose.js';

/** Connects, and tells why that does not work: once for each reason, however often ioredis tries. */
export class FirstContact {
  private last: unknown;
  private told: string | undefined;
  private opened = false;
  private closing = false;
  private answered = false;
  private readonly onFailure = new Set<(error: unknown) => void>();

  constructor(
    private readonly client: Redis | Cluster,
    private readonly config: RedisConfig,
    private readonly at: DriverSite,
    private readonly monitor: AvailabilityMonitor,
  ) {
    const spoken = { error: false };
    client.on('connecting', () => (spoken.error = this.answered = false));
    client.on('ready', () => {
      this.answered = true;
      this.last = undefined;
    });
    client.on('error', (error: Error) => {
      spoken.error = true;
      this.failed(error);
    });
    if (isCluster(client)) client.on('node error', (error: Error) => this.explain(error));
    else
      client.on('close', () => {
        if (!spoken.error && !this.answered && !this.closing) this.failed(hungUp(config));
      });
    client.on('end', () => this.again());
  }

  /** Resolves when the server answers as what it should be; rejects with the first reason why it does not, and later with the last one. */
  async reach(signal: AbortSignal): Promise<void> {
    if (this.client.status === 'wait' || this.client.status === 'end') this.connect();
    await this.ready(signal);
    await this.verify();
    await this.monitor.confirm();
    this.opened = true;
    this.told = undefined;
  }

  /** An attempt took too long and was given up. */
  gaveUp(limitMs: number): void {
    const hint = this.config.tls.enabled ? ' (with TLS, which it may not speak)' : '';
    this.failed(new Error(`it did not answer within ${limitMs} ms${hint}`));
  }

  close(): void {
    this.closing = true;
  }

  private connect(): void {
    this.client.connect().catch(() => undefined); // the events tell why
  }

  private ready(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void) => {
        this.client.off('ready', done);
        this.onFailure.delete(failed);
        signal.removeEventListener('abort', aborted);
        end();
      };
      const done = () => settle(resolve);
      const failed = (error: unknown) => settle(() => reject(error as Error));
      const aborted = () => failed(this.last ?? signal.reason);
      if (this.client.status === 'ready') return resolve();
      if (signal.aborted) return reject((this.last ?? signal.reason) as Error);
      this.client.on('ready', done);
      this.onFailure.add(failed);
      signal.addEventListener('abort', aborted, { once: true });
    });
  }

  private explain(error: Error): unknown {
    const found = diagnose(error, this.config);
    this.monitor.explain((found as Error).message);
    return found;
  }

  private failed(error: Error): void {
    if (this.closing) return;
    const found = this.explain(error) as Error;
    this.last = found;
    // Data must not go to database 0 because there is no 12, nor to one node of many.
    if (found instanceof RedisDatabaseError || found instanceof RedisTopologyError) this.client.disconnect();
    if (this.told === found.message) return;
    const isFirst = this.told === undefined && !this.opened;
    if (!isFirst && found instanceof InfraError) this.at.logger.warn(`${this.at.id}: ${found.message}`);
    else this.at.logger.debug(`connection error: ${found.message}`);
    this.told = found.message;
    for (const tell of this.onFailure) tell(found);
  }

  /** ioredis has given up for good, and we do not. */
  private again(): void {
    if (this.closing) return;
    setTimeout(() => {
      if (!this.closing && this.client.status === 'end') this.connect();
    }, this.config.retry.maxDelayMs).unref();
  }

  /** A plain connection to a node of a cluster works, until a key belongs to another node. */
  private async verify(): Promise<void> {
    if (isCluster(this.client)) return;
    let info: string;
    try {
      info = await this.client.info('server');
    } catch (error) {
      if (/^(NOPERM|ERR)/.test((error as Error).message)) return;
      throw error;
    }
    const wrong = wrongMode(/redis_mode:(\w+)/.exec(info)?.[1] ?? 'standalone', this.config);
    if (!wrong) return;
    this.failed(wrong);
    throw wrong;
  }
}
