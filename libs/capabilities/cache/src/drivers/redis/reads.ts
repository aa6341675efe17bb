import type { RedisClient } from '@core-infra/redis';
import { getAll } from './commands.js';
import type { Link } from './link.js';

export interface Read {
  readonly bytes: Buffer | null;
  /** This process's count of invalidations when it was asked for. */
  readonly seq: number;
}

interface Waiting {
  readonly name: string;
  readonly resolve: (read: Read) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads of one turn of the event loop go to Redis in one command. */
export class Reads {
  private waiting: Waiting[] = [];

  constructor(
    private readonly client: RedisClient,
    private readonly link: Link,
    private readonly seq: () => number,
  ) {}

  read(name: string): Promise<Read> {
    return new Promise((resolve, reject) => {
      if (this.waiting.push({ name, resolve, reject }) === 1) setImmediate(() => void this.send());
    });
  }

  private async send(): Promise<void> {
    const asked = this.waiting;
    this.waiting = [];
    const seq = this.seq();
    try {
      const names = asked.map(({ name }) => name);
      const all = await this.link.run(() => getAll(this.client, names));
      asked.forEach(({ resolve }, at) => resolve({ bytes: all[at] ?? null, seq }));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
