import { setTimeout as sleep } from 'node:timers/promises';
import { InfraError } from '@core-infra/kernel';
import { KafkaUnknownTopicError } from '../errors.js';
import { Lane, type LaneSettings } from './lane.js';
import type { PendingRecord } from './pending-record.js';
import type { PartitionLeader, RecordSender } from './record-sender.js';

/** How long a topic may be unknown, in milliseconds: one that was just created is not known to every broker yet. */
const UNKNOWN_FOR_MS = 1_000;

/** One topic: which partitions it has, and a lane for each. */
export class TopicRoute {
  readonly #lanes = new Map<number, Lane>();
  #partitions: readonly PartitionLeader[] | undefined;
  #loadedAt = 0;
  #loading = false;
  #waiting: PendingRecord[] = [];
  /** Where records without a key go for now: to one partition, until its batch is sent, so that batches are full. */
  #sticky: Lane | undefined;

  constructor(
    private readonly topic: string,
    private readonly sender: RecordSender,
    private readonly settings: LaneSettings,
    private readonly maxAgeMs: number,
  ) {}

  get lanes(): Iterable<Lane> {
    return this.#lanes.values();
  }

  add(record: PendingRecord): void {
    if (!this.#partitions || this.#waiting.length > 0) {
      this.#waiting.push(record);
      if (!this.#loading) void this.#load();
      return;
    }
    if (!this.#loading && performance.now() - this.#loadedAt > this.maxAgeMs) void this.#load();
    this.#laneOf(record, this.#partitions).add(record);
  }

  sweep(): void {
    this.#waiting = this.#waiting.filter(({ settled }) => !settled);
    for (const lane of this.#lanes.values()) lane.sweep();
  }

  #laneOf({ record }: PendingRecord, partitions: readonly PartitionLeader[]): Lane {
    const chosen = this.sender.choose(record, partitions);
    if (chosen !== undefined) return this.#lane(chosen);
    if (this.#sticky && this.#sticky.length > 0 && this.#sticky.length < this.settings.batchSize) return this.#sticky;
    const led = partitions.filter(({ leader }) => leader >= 0);
    const among = led.length > 0 ? led : partitions;
    const next = among[Math.floor(Math.random() * among.length)]?.partitionId ?? 0;
    return (this.#sticky = this.#lane(next));
  }

  #lane(partition: number): Lane {
    let lane = this.#lanes.get(partition);
    if (!lane) this.#lanes.set(partition, (lane = new Lane(this.topic, partition, this.sender, this.settings)));
    return lane;
  }

  /** Until it is known, or nobody waits for it. What is known stays in use when it cannot be had anew. */
  async #load(): Promise<void> {
    this.#loading = true;
    const began = performance.now();
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#partitions = await this.sender.partitionsOf(this.topic);
        this.#loadedAt = performance.now();
        break;
      } catch (error) {
        this.settings.onAttempt(error as Error);
        const isYoung = error instanceof KafkaUnknownTopicError && performance.now() - began < UNKNOWN_FOR_MS;
        if (error instanceof InfraError && !error.retryable && !isYoung) {
          // What was known of it is of no use any more.
          this.#partitions = undefined;
          for (const record of this.#waiting.splice(0)) record.reject(error);
          break;
        }
        if (this.#waiting.every(({ settled }) => settled)) break;
        await sleep(this.settings.backoff(attempt), undefined, { ref: false });
      }
    }
    this.#loading = false;
    const partitions = this.#partitions;
    const waiting = this.#waiting.splice(0);
    if (partitions) for (const record of waiting) if (!record.settled) this.#laneOf(record, partitions).add(record);
  }
}
