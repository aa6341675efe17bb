import { setTimeout as delay } from 'node:timers/promises';
import type { Transactions } from '@core-infra/database';
import { IdempotencyKeyBusyError } from './errors.js';
import type { Answer, IdempotencyKeys } from './idempotency-keys.js';

const firstPauseMs = 100;
const tries = 4;
/** The answer waits meanwhile. */
const longestMs = 3_000;

/** A key while its request is handled. */
export class HeldKey {
  private answered = false;
  /** Whether effects are in force, or about to be, of which the key knows. */
  isMarked = false;

  constructor(
    private readonly keys: IdempotencyKeys,
    private readonly transactions: Transactions,
    private readonly scope: Buffer,
    private readonly owner: string,
  ) {}

  /**
   * Runs the handler. Each transaction of it on the database of the keys commits together with the mark that the request is done, and only as long as
   * the key is its own: one that was at work for longer than its lease, or was answered meanwhile with a failure, is rolled back.
   */
  run<T>(work: () => T): T {
    // What is begun after the answer is no part of the request.
    return this.transactions.guarded(() => (this.answered ? undefined : () => this.mark()), work);
  }

  /**
   * Keeps the answer, or gives the key up after a failure of the server without effects that are known of.
   * @param answer `undefined` when it is too large to be kept
   */
  async end(status: number, answer: Answer | undefined): Promise<void> {
    this.answered = true;
    const since = performance.now();
    for (let failures = 1; ; failures += 1) {
      try {
        if (status >= 500 && (await this.keys.release(this.scope, this.owner))) return;
        return await this.keys.finish(this.scope, this.owner, answer);
      } catch (error) {
        if (failures >= tries || performance.now() - since > longestMs) throw error;
        await delay(firstPauseMs * 2 ** (failures - 1));
      }
    }
  }

  private async mark(): Promise<void> {
    this.isMarked = true;
    if (!(await this.keys.mark(this.scope, this.owner))) throw new IdempotencyKeyBusyError();
  }
}
