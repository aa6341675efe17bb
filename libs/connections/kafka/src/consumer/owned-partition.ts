import type { KafkaPartition } from '../ports/consumer.js';

/** What a partition can have done to it by whoever reads it. */
export interface PartitionControl {
  pause(topic: string, partition: number): void;
  resume(topic: string, partition: number): void;
  seek(topic: string, partition: number, offset: bigint): void;
  commit(topic: string, partition: number, next: bigint, metadata?: string): Promise<void>;
}

/** A partition for the time of one assignment. */
export class OwnedPartition implements KafkaPartition {
  readonly #given = new AbortController();
  #paused = false;
  /** Whether whoever works on it asked for the pause, rather than we. */
  #held: boolean;

  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly generation: number,
    private readonly control: PartitionControl,
    /** Nothing is read before it is opened. */
    held: boolean,
  ) {
    this.#held = held;
    if (held) control.pause(topic, partition);
    else control.resume(topic, partition);
  }

  get signal(): AbortSignal {
    return this.#given.signal;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  pause(): void {
    if (this.#paused || this.signal.aborted) return;
    this.#paused = true;
    this.control.pause(this.topic, this.partition);
  }

  resume(): void {
    if (!this.#paused || this.signal.aborted) return;
    this.#paused = false;
    if (!this.#held) this.control.resume(this.topic, this.partition);
  }

  seek(offset: bigint): void {
    if (!this.signal.aborted) this.control.seek(this.topic, this.partition, offset);
  }

  commit(next: bigint, metadata?: string): Promise<void> {
    // Another assignment of the same partition would have it otherwise.
    if (this.signal.aborted) return Promise.reject(this.signal.reason as Error);
    return this.control.commit(this.topic, this.partition, next, metadata);
  }

  /** It may be read. */
  open(): void {
    this.#held = false;
    if (!this.#paused && !this.signal.aborted) this.control.resume(this.topic, this.partition);
  }

  giveUp(reason: Error): void {
    this.#given.abort(reason);
  }
}
