import type { Redis } from 'ioredis';
import { giveUp } from '../availability/connect-limit.js';
import type { Link } from '../availability/link.js';

/** One server, or the master that sentinels name. */
export class RedisLink implements Link {
  constructor(private readonly redis: Redis) {}

  get isReady(): boolean {
    return this.redis.status === 'ready';
  }

  async ping(): Promise<void> {
    await this.redis.ping();
  }

  giveUp(): void {
    giveUp(this.redis);
  }

  listen(ready: () => void, lost: (reason: string) => void): void {
    let error: Error | undefined;
    this.redis.on('error', (latest: Error) => (error = latest));
    this.redis.on('ready', () => {
      error = undefined;
      ready();
    });
    this.redis.on('close', () => lost(error?.message ?? 'the connection was lost'));
  }
}
