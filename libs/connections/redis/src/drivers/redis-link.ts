import { isAftermath } from './diagnose.js';
import type { Redis } from 'ioredis';
import { giveUp } from '../availability/connect-limit.js';
import type { Link } from '../availability/link.js';

/** One server, or the master that sentinels name. */
export class RedisLink implements Link {
  private verified = false;

  /** @param verify looks at `INFO server` of each new connection; a server that it throws at does not count as there */
  constructor(
    private readonly redis: Redis,
    private readonly verify: (info: string) => void,
  ) {}

  get isReady(): boolean {
    return this.redis.status === 'ready';
  }

  async ping(): Promise<void> {
    if (this.verified) await this.redis.ping();
    else this.verify(await this.info());
    this.verified = true;
  }

  giveUp(): void {
    giveUp(this.redis);
  }

  listen(ready: () => void, lost: (reason: string) => void): void {
    let error: Error | undefined;
    this.redis.on('error', (latest: Error) => {
      if (!isAftermath(latest)) error = latest;
    });
    this.redis.on('ready', () => {
      error = undefined;
      ready();
    });
    this.redis.on('close', () => {
      this.verified = false;
      lost(error?.message ?? 'the connection was lost');
    });
  }

  private async info(): Promise<string> {
    try {
      return await this.redis.info('server');
    } catch (error) {
      // An account may be allowed its keys and nothing else; a proxy may not know the command.
      if (!/^(NOPERM|ERR)/.test((error as Error).message)) throw error;
      await this.redis.ping();
      return '';
    }
  }
}
