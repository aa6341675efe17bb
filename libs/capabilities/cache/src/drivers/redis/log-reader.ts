import type { Logger } from '@nestjs/common';
import { duplicateOf, type RedisClient } from '@core-infra/redis';
import { setTimeout as delay } from 'node:timers/promises';

/** What a process tells the others. */
export interface LogMessage {
  /** The process that says so. */
  readonly o: string;
  /** Set, deleted, a load that ended without a value; and what invalidates more than keys. */
  readonly k: 'set' | 'del' | 'fail' | 'clear' | 'tags' | 'prefix';
  /** Path of the namespace. */
  readonly s: string;
  /** Full keys, tags, or the prefix. */
  readonly n?: readonly string[];
}

export interface LogListener {
  onMessage(message: LogMessage, id: number): void;
  /** Continuity was lost: anything may have been invalidated since. */
  onGap(): void;
  /** The server knows less than it did: what it has may be older than what was invalidated. */
  onRollback(): void;
  onSynced(synced: boolean): void;
}

/** How long the server may hold back an answer without news, in milliseconds: also the heartbeat. */
const BLOCK_MS = 500;
const PAUSE_MS = 50;
const AT_ONCE = 1_000;

/**
 * Reads the log of invalidations, one after another and none twice. After a connection was lost it goes on where it was; where the log no
 * longer goes back so far, it says so.
 */
export class LogReader {
  private readonly reader: RedisClient;
  private readonly stopped = new AbortController();
  private cursor: string | undefined;
  private synced = false;
  private loop: Promise<void> | undefined;

  constructor(
    client: RedisClient,
    private readonly key: string,
    private readonly answerWithinMs: number,
    private readonly listener: LogListener,
    private readonly logger: Logger,
  ) {
    this.reader = duplicateOf(client, {
      commandTimeout: BLOCK_MS + answerWithinMs * 2,
      disconnectTimeout: answerWithinMs,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
    });
  }

  get isSynced(): boolean {
    return this.synced;
  }

  start(): void {
    this.loop ??= this.run();
  }

  async close(): Promise<void> {
    this.stopped.abort();
    this.disconnect(false);
    await this.loop;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      try {
        if (!this.synced) await this.catchUp();
        await this.follow();
      } catch (error) {
        if (signal.aborted) return;
        if (this.synced) this.logger.debug(`The log of invalidations is not read: ${(error as Error).message}`);
        this.change(false);
        await delay(PAUSE_MS, undefined, { signal, ref: false }).catch(() => undefined); // closed: the loop ends
      }
    }
  }

  private async follow(): Promise<void> {
    const before = this.cursor!;
    if (this.take(await this.answer(BLOCK_MS, () => this.read(BLOCK_MS))) < AT_ONCE) return;
    // So far behind that the log may have been cut off before it was read.
    const first = await this.answer(0, () => this.edge('first'));
    if (first !== undefined && idNumber(first) > idNumber(before)) this.listener.onGap();
  }

  private async catchUp(): Promise<void> {
    const last = await this.answer(0, () => this.edge('last'));
    if (this.cursor === undefined) {
      this.cursor = last ?? '0-0';
      // What was loaded before the log was known may have been invalidated meanwhile.
      this.listener.onGap();
    } else if (idNumber(last ?? '0-0') < idNumber(this.cursor)) {
      this.cursor = last ?? '0-0';
      if (last === undefined) this.listener.onGap();
      else this.listener.onRollback();
    } else {
      const first = await this.answer(0, () => this.edge('first'));
      if (first !== undefined && idNumber(first) > idNumber(this.cursor)) this.listener.onGap();
    }
    while (this.take(await this.answer(0, () => this.read(undefined))) === AT_ONCE);
    this.change(true);
  }

  /** The id at an end of the log. */
  private async edge(which: 'first' | 'last'): Promise<string | undefined> {
    const found =
      which === 'last'
        ? await this.reader.xrevrange(this.key, '+', '-', 'COUNT', 1)
        : await this.reader.xrange(this.key, '-', '+', 'COUNT', 1);
    return found[0]?.[0];
  }

  private async read(blockMs: number | undefined): Promise<[string, string[]][]> {
    const from = [this.key, this.cursor!] as const;
    const answer =
      blockMs === undefined
        ? await this.reader.xread('COUNT', AT_ONCE, 'STREAMS', ...from)
        : await this.reader.xread('COUNT', AT_ONCE, 'BLOCK', blockMs, 'STREAMS', ...from);
    return answer?.[0]?.[1] ?? [];
  }

  private take(messages: readonly [string, string[]][]): number {
    for (const [id, fields] of messages) {
      this.cursor = id;
      this.listener.onMessage(JSON.parse(fields[1]!) as LogMessage, idNumber(id));
    }
    return messages.length;
  }

  /** A connection on which nothing comes back any more does not say so: it is cut, and made anew. */
  private async answer<T>(blockMs: number, command: () => Promise<T>): Promise<T> {
    const { signal } = this.stopped;
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error('no answer in time'));
        if (!signal.aborted) this.disconnect(true);
      }, blockMs + this.answerWithinMs);
    });
    try {
      return await Promise.race([command(), silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  private disconnect(reconnect: boolean): void {
    (this.reader as unknown as { disconnect(reconnect: boolean): void }).disconnect(reconnect);
  }

  private change(synced: boolean): void {
    if (this.synced === synced) return;
    this.synced = synced;
    this.listener.onSynced(synced);
  }
}

/** An id of the log, `<milliseconds>-<count>`, as a number that compares as it does. */
export function idNumber(id: string): number {
  const [ms, count] = id.split('-');
  return Number(ms) * 1_024 + Math.min(Number(count ?? 0), 1_023);
}
