import { setTimeout as sleep } from 'node:timers/promises';
import { KafkaOversizeError, KafkaUnknownTopicError } from '../errors.js';
import type { PendingRecord } from './pending-record.js';
import { type RecordSender, SendFailure } from './record-sender.js';

/** A topic that no broker has known for so long, in milliseconds, was deleted; the broker of one that is being made learns of it sooner. */
const GONE_AFTER_MS = 3_000;

/** What a lane is told. */
export interface LaneSettings {
  readonly batchSize: number;
  readonly maxBatchBytes: number;
  readonly lingerMs: number;
  readonly backoff: (attempt: number) => number;
  /** A batch was acknowledged or given up. */
  readonly onBatch: (topic: string, records: number, bytes: number, isDelivered: boolean) => void;
  /** Why the last attempt failed; `undefined` after one that did not. */
  readonly onAttempt: (failure: Error | undefined) => void;
}

/**
 * The records of one partition. One request is under way at a time, and holds this partition only: so no attempt that is repeated overtakes
 * another, and none is taken for another: a batch keeps its number for the broker until it is written.
 */
export class Lane {
  readonly #queue: PendingRecord[] = [];
  #busy = false;
  #timer: NodeJS.Timeout | undefined;
  #scheduled = false;

  constructor(
    private readonly topic: string,
    private readonly partition: number,
    private readonly sender: RecordSender,
    private readonly settings: LaneSettings,
  ) {}

  get length(): number {
    return this.#queue.length;
  }

  add(record: PendingRecord): void {
    this.#queue.push(record);
    if (this.#busy) return;
    if (this.#queue.length >= this.settings.batchSize) this.hurry();
    else this.#schedule();
  }

  /** Sends what there is without waiting for more. */
  hurry(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#busy) void this.#run();
  }

  /** Forgets what has its outcome already: given up, or out of time. */
  sweep(): void {
    const left = this.#queue.filter(record => !record.settled);
    if (left.length === this.#queue.length) return;
    this.#queue.splice(0, this.#queue.length, ...left);
  }

  #schedule(): void {
    const { lingerMs } = this.settings;
    if (lingerMs > 0) {
      this.#timer ??= setTimeout(() => this.hurry(), lingerMs);
      return;
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    // What the same turn of the event loop sends goes together.
    setImmediate(() => {
      this.#scheduled = false;
      this.hurry();
    });
  }

  async #run(): Promise<void> {
    this.#busy = true;
    try {
      for (let batch = this.#take(); batch.length > 0; batch = this.#take()) await this.#deliver(batch);
    } finally {
      this.#busy = false;
    }
  }

  #take(): PendingRecord[] {
    const { batchSize, maxBatchBytes } = this.settings;
    const batch: PendingRecord[] = [];
    let bytes = 0;
    let taken = 0;
    for (const record of this.#queue) {
      if (!record.settled) {
        if (batch.length === batchSize || (batch.length > 0 && bytes + record.bytes > maxBatchBytes)) break;
        batch.push(record);
        bytes += record.bytes;
        record.sent = true;
      }
      taken += 1;
    }
    this.#queue.splice(0, taken);
    return batch;
  }

  /** Until it is acknowledged or refused, or nobody waits for it any more. */
  async #deliver(batch: PendingRecord[]): Promise<void> {
    const records = batch.map(({ record }) => record);
    const bytes = bytesOf(batch);
    let session = this.sender.open();
    let uncertain = false;
    let unknownSince: number | undefined;
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const first = await session.send(this.topic, this.partition, records, bytes);
          this.settings.onAttempt(undefined);
          return this.#acknowledge(batch, first);
        } catch (thrown) {
          const { outcome, error } = asFailure(thrown);
          this.settings.onAttempt(error);
          if (outcome === 'duplicate') return this.#acknowledge(batch, undefined);
          if (outcome === 'unknown') uncertain = true;
          unknownSince = error instanceof KafkaUnknownTopicError ? (unknownSince ?? performance.now()) : undefined;
          const isGone = unknownSince !== undefined && performance.now() - unknownSince > GONE_AFTER_MS;
          const isOver =
            outcome === 'refused' || outcome === 'too-large' || isGone || batch.every(({ settled }) => settled);
          // The broker may have it: another batch with the same numbers would be taken for this one.
          if (outcome === 'out-of-step' || (isOver && uncertain)) {
            this.sender.renew();
            session.release();
            session = this.sender.open();
          }
          if (outcome === 'too-large') return await this.#split(batch, error);
          if (isOver) return this.#giveUp(batch, error);
          await sleep(this.settings.backoff(attempt), undefined, { ref: false });
        }
      }
    } finally {
      session.release();
    }
  }

  /** In order: the second half waits for the first. */
  async #split(batch: PendingRecord[], error: Error): Promise<void> {
    const [only] = batch;
    if (batch.length === 1 && only) {
      const limit = await this.sender.limitOf(this.topic);
      only.reject(new KafkaOversizeError(this.topic, only.bytes, limit, { cause: error }));
      return this.#giveUp(batch, error);
    }
    const half = Math.ceil(batch.length / 2);
    await this.#deliver(batch.slice(0, half));
    // What went with a record of the first half is not sent either.
    const rest = batch.slice(half).filter(({ settled }) => !settled);
    if (rest.length > 0) await this.#deliver(rest);
  }

  #acknowledge(batch: PendingRecord[], first: bigint | undefined): void {
    this.settings.onBatch(this.topic, batch.length, bytesOf(batch), true);
    for (let index = 0; index < batch.length; index += 1)
      batch[index]!.resolve(this.partition, first === undefined ? undefined : first + BigInt(index));
  }

  #giveUp(batch: PendingRecord[], error: Error): void {
    this.settings.onBatch(this.topic, batch.length, bytesOf(batch), false);
    for (const record of batch) record.reject(error);
  }
}

function bytesOf(batch: readonly PendingRecord[]): number {
  return batch.reduce((sum, { bytes }) => sum + bytes, 0);
}

function asFailure(thrown: unknown): SendFailure {
  return thrown instanceof SendFailure ? thrown : new SendFailure('refused', thrown as Error);
}
