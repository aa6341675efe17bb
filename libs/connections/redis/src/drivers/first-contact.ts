import { ConnectFailedError, InfraError, reasonOf } from '@core-infra/kernel';
import type { DriverSite } from '@core-infra/kernel';
import type { Cluster, Redis } from 'ioredis';
import type { AvailabilityMonitor } from '../availability/availability-monitor.js';
import { isCluster } from '../commands/internals.js';
import type { RedisConfig } from '../config/redis.config.js';
import { RedisDatabaseError, RedisTimeoutError, RedisTopologyError, RedisUnavailableError } from '../errors.js';
import type { RedisClient } from '../redis.client.js';
import { diagnose, hungUp, isAftermath, noAnswer } from './diagnose.js';
import { addressOf } from './ioredis-options.js';

const contacts = new WeakMap<RedisClient, FirstContact>();

/**
 * Resolves when the server answers as what it should be, within `connectTimeoutMs`.
 * @throws the reason of the first attempt that failed, with what mends it
 */
export async function reached(client: RedisClient): Promise<void> {
  await contacts.get(client)?.reachInTime();
}

/** The reason why a connection could not be made, for a person who waits for it. */
export function unreached(error: unknown, id: string, config: RedisConfig): Error {
  const found = diagnose(error, config);
  if (found instanceof InfraError) return found;
  const fix = 'Start the server, or correct the address (REDIS_URL, REDIS_ADDR).';
  return new ConnectFailedError(id, addressOf(config), reasonOf(found), fix, { cause: found });
}

/** Connects, and tells why that does not work: once for each reason, however often ioredis tries. */
export class FirstContact {
  private last: unknown;
  private readonly told = new Set<string>();
  private opened = false;
  private closing = false;
  private everAnswered = false;
  /** Whether it is known why the current attempt failed. */
  private explained = false;
  private readonly onFailure = new Set<(error: unknown) => void>();

  constructor(
    private readonly client: Redis | Cluster,
    private readonly config: RedisConfig,
    private readonly at: DriverSite,
    private readonly monitor: AvailabilityMonitor,
  ) {
    contacts.set(client as unknown as RedisClient, this);
    client.on('connecting', () => (this.explained = false));
    client.on('ready', () => {
      this.everAnswered = true;
      this.last = undefined;
    });
    client.on('error', (error: Error) => {
      // What the handshake's own commands say of a connection that was lost follows from what is told of the connection.
      if (error instanceof RedisUnavailableError || error instanceof RedisTimeoutError || isAftermath(error)) return;
      this.explained = true;
      const reset = ['ECONNRESET', 'EPIPE'].includes(String((error as { code?: unknown }).code));
      this.failed(reset && !this.everAnswered ? hungUp(config) : error);
    });
    // Later it says of one node what may not be why the cluster is away.
    if (isCluster(client)) client.on('node error', (error: Error) => void (this.opened || this.explain(error)));
    else
      client.on('close', () => {
        if (!this.explained && !this.everAnswered) this.failed(hungUp(config));
      });
    client.on('end', () => this.again());
  }

  /** Resolves when the server answers as what it should be; rejects with the first reason why it does not, and later with the last one. */
  async reach(signal: AbortSignal): Promise<void> {
    if (this.client.status === 'wait' || this.client.status === 'end') this.connect();
    await this.ready(signal);
    await this.monitor.confirm();
    this.opened = true;
    this.told.clear();
  }

  async reachInTime(): Promise<void> {
    try {
      await this.reach(AbortSignal.timeout(this.config.connectTimeoutMs));
    } catch (error) {
      throw unreached(error, this.at.id, this.config);
    }
  }

  /** An attempt took too long and was given up. */
  gaveUp(limitMs: number): void {
    this.explained = true;
    this.failed(noAnswer(limitMs, this.config));
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

  /** Something is wrong with the connection. */
  failed(error: Error): void {
    if (this.closing) return;
    const found = this.explain(error) as Error;
    this.last = found;
    // Data must not go to database 0 because there is no 12, nor to one node of many.
    if (found instanceof RedisDatabaseError || found instanceof RedisTopologyError) this.client.disconnect();
    const kind = found instanceof InfraError ? found.code : found.message;
    if (this.told.has(kind)) return;
    // The first is the kernel's to tell, who awaits it.
    const isFirst = this.told.size === 0 && !this.opened;
    if (!isFirst && found instanceof InfraError) this.at.logger.warn(`${this.at.id}: ${found.message}`);
    else this.at.logger.debug(`connection error: ${found.message}`);
    this.told.add(kind);
    for (const tell of this.onFailure) tell(found);
  }

  /** ioredis has given up for good, and we do not. */
  private again(): void {
    if (this.closing) return;
    setTimeout(() => {
      if (!this.closing && this.client.status === 'end') this.connect();
    }, this.config.retry.maxDelayMs).unref();
  }
}
