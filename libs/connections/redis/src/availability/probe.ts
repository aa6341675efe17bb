import { RedisUnavailableError } from '../errors.js';
import type { RedisClient } from '../redis.client.js';
import type { RedisAvailability } from './availability.js';

/** Between two pings of a server that is away, in milliseconds. */
const PROBE_EVERY_MS = 100;

/** Knows from the connection's events and from commands that overran whether Redis answers; asks by itself while it does not. */
export class AvailabilityProbe implements RedisAvailability {
  private readonly listeners = new Set<(available: boolean) => void>();
  private available = false;
  private reason = 'not connected yet';
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly id: string,
    private readonly client: RedisClient,
    private readonly commandTimeoutMs: number,
  ) {
    client.on('ready', () => this.change(true));
    client.on('close', () => this.away('the connection was lost'));
    client.on('end', () => this.away('the connection was closed'));
  }

  get isAvailable(): boolean {
    return this.available;
  }

  async run<T>(command: () => Promise<T>, timeoutMs: number = this.commandTimeoutMs): Promise<T> {
    if (!this.available) throw new RedisUnavailableError(this.id, this.reason);
    let timer: NodeJS.Timeout | undefined;
    const overrun = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.away(`no answer within ${timeoutMs} ms`);
        reject(new RedisUnavailableError(this.id, this.reason));
      }, timeoutMs);
    });
    try {
      return await Promise.race([command(), overrun]);
    } catch (error) {
      if (this.client.status !== 'ready') throw new RedisUnavailableError(this.id, this.reason, { cause: error });
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  onChange(listener: (available: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.listeners.clear();
  }

  private away(reason: string): void {
    this.reason = reason;
    this.change(false);
    if (!this.closed) this.probeLater();
  }

  private probeLater(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.probe(), PROBE_EVERY_MS).unref();
  }

  private async probe(): Promise<void> {
    if (this.closed || this.available) return;
    if (this.client.status !== 'ready') return this.probeLater();
    try {
      await this.client.ping();
      this.change(true);
    } catch {
      // Still away: the reason is known, and reported to whoever asks.
      this.probeLater();
    }
  }

  private change(available: boolean): void {
    if (this.available === available || this.closed) return;
    this.available = available;
    for (const listener of this.listeners) listener(available);
  }
}
