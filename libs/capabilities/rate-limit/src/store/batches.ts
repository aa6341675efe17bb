import type { CheckedRule } from '../gcra/limit-rule.js';
import type { StoreAnswer } from '../gcra/process-limits.js';
import type { Request } from './limit-store.js';

/** An answer, and when its request was sent: what it says holds from then on. */
export interface TimedAnswer extends StoreAnswer {
  readonly sentAt: number;
}

export interface BatchSite {
  /** Sends requests of one rule together. */
  readonly send: (rule: CheckedRule, requests: readonly Request[]) => Promise<readonly StoreAnswer[]>;
  /** Whether keys of several callers may go together: not on a cluster, where they live in different places. */
  readonly mixesKeys: boolean;
  /** A steady clock, in milliseconds. */
  readonly now: () => number;
}

/** So many requests at most are one script, as the server does nothing else meanwhile: 64 take it about a fifth of a millisecond. */
const MOST_TOGETHER = 64;

/** Cheaper than `queueMicrotask`, which makes an async resource each time. */
const NOW = Promise.resolve();

interface Waiting extends Request {
  resolve(answer: TimedAnswer): void;
  reject(error: unknown): void;
}

/**
 * Requests that come together go out together: one script for each rule, in as few writes as the client makes of it. While nothing is under
 * way, a request waits for those that are made in the same breath; else for all of its turn of the event loop.
 */
export class Batches {
  private queues = new Map<CheckedRule, Waiting[]>();
  private scheduled = false;
  private underWay = 0;

  constructor(private readonly site: BatchSite) {}

  ask(rule: CheckedRule, key: string, cost: number): Promise<TimedAnswer> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { key, cost, resolve, reject };
      const queue = this.queues.get(rule);
      if (queue) queue.push(waiting);
      else this.queues.set(rule, [waiting]);
      if (this.scheduled) return;
      this.scheduled = true;
      if (this.underWay === 0) void NOW.then(this.flush);
      else setImmediate(this.flush);
    });
  }

  private readonly flush = (): void => {
    this.scheduled = false;
    const { queues } = this;
    this.queues = new Map();
    for (const [rule, queue] of queues) {
      if (this.site.mixesKeys || queue.length === 1) this.sendSome(rule, queue);
      else for (const group of byKey(queue)) this.sendSome(rule, group);
    }
  };

  private sendSome(rule: CheckedRule, queue: readonly Waiting[]): void {
    if (queue.length <= MOST_TOGETHER) return void this.send(rule, queue);
    for (let from = 0; from < queue.length; from += MOST_TOGETHER)
      void this.send(rule, queue.slice(from, from + MOST_TOGETHER));
  }

  private async send(rule: CheckedRule, batch: readonly Waiting[]): Promise<void> {
    const sentAt = this.site.now();
    this.underWay += 1;
    try {
      const answers = await this.site.send(rule, batch);
      for (let index = 0; index < batch.length; index += 1) {
        const { waitMs, levels } = answers[index]!;
        batch[index]!.resolve({ waitMs, levels, sentAt });
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.underWay -= 1;
    }
  }
}

function byKey(queue: readonly Waiting[]): Waiting[][] {
  const groups = new Map<string, Waiting[]>();
  for (const waiting of queue) {
    const group = groups.get(waiting.key);
    if (group) group.push(waiting);
    else groups.set(waiting.key, [waiting]);
  }
  return [...groups.values()];
}
