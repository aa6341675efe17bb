import { setTimeout as sleep } from 'node:timers/promises';
import { KafkaRevokedError } from '../errors.js';
import type { KafkaConsumerHandlers, KafkaPartition } from '../ports/consumer.js';
import { OwnedPartition, type PartitionControl } from './owned-partition.js';

/** Which part of the time that a group waits is left to work, and which part work that was told to stop may take to do so. */
const WORK_PART = 0.8;
const STOP_PART = 0.1;
/** How long offsets on their way are waited for, in milliseconds, once the work has ended. */
const COMMITS_WITHIN_MS = 5_000;

export interface OwnershipSettings {
  readonly group: string;
  readonly handlers: KafkaConsumerHandlers;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** Resolves with whether the group still counts on this member. */
  readonly heartbeat: () => Promise<boolean>;
  readonly settleCommits: () => Promise<void>;
  readonly closeCommits: (reason: Error) => void;
  /** The member cannot work on what it was given. */
  readonly fail: (error: unknown) => void;
  readonly onChange: (kind: 'assigned' | 'revoked' | 'lost', partitions: number) => void;
}

/** The partitions of a member, from their assignment to their end. */
export class Ownership {
  #owned = new Map<string, OwnedPartition>();
  #givingUp: Promise<void> | undefined;
  /** Has work be abandoned. */
  #giveIn: (() => void) | undefined;

  constructor(private readonly settings: OwnershipSettings) {}

  get partitions(): readonly KafkaPartition[] {
    return [...this.#owned.values()];
  }

  find(topic: string, partition: number): KafkaPartition | undefined {
    return this.#givingUp ? undefined : this.#owned.get(`${topic} ${partition}`);
  }

  /** Nothing of them is read before the handler is ready. */
  take(
    partitions: readonly { topic: string; partition: number }[],
    generation: number,
    control: PartitionControl,
  ): void {
    const { handlers, onChange, fail } = this.settings;
    const taken = partitions.map(
      ({ topic, partition }) => new OwnedPartition(topic, partition, generation, control, true),
    );
    this.#owned = new Map(taken.map(owned => [`${owned.topic} ${owned.partition}`, owned]));
    const open = (): void => {
      for (const owned of taken) owned.open();
    };
    onChange('assigned', taken.length);
    try {
      const ready = handlers.assigned?.(taken);
      if (ready === undefined) open();
      else ready.then(open, fail);
    } catch (error) {
      fail(error);
    }
  }

  /** Resolves when the work on all partitions has ended or was abandoned, and what it committed has arrived. */
  giveUp(isLost: boolean, signal?: AbortSignal): Promise<void> {
    if (this.#givingUp) {
      // Whoever asks first does not decide how long it may take.
      if (signal?.aborted) this.#giveIn?.();
      else signal?.addEventListener('abort', () => this.#giveIn?.(), { once: true });
      return this.#givingUp;
    }
    if (this.#owned.size === 0) return Promise.resolve();
    this.#givingUp = this.#release(isLost, signal).finally(() => (this.#givingUp = this.#giveIn = undefined));
    return this.#givingUp;
  }

  async #release(lostAlready: boolean, signal?: AbortSignal): Promise<void> {
    const { rebalanceTimeoutMs, closeCommits, settleCommits, onChange } = this.settings;
    const partitions = [...this.#owned.values()];
    const abandon = new AbortController();
    const done = new AbortController();
    let isLost = lostAlready;
    const lose = (): void => {
      isLost = true;
      closeCommits(this.#revoked(partitions[0]));
      for (const owned of partitions) owned.giveUp(this.#revoked(owned));
      abandon.abort(this.#revoked(partitions[0]));
    };
    if (isLost) lose();
    else void this.#stayAlive(lose, done.signal);
    const giveIn = (this.#giveIn = (): void => abandon.abort(this.#revoked(partitions[0])));
    const work = setTimeout(giveIn, rebalanceTimeoutMs * WORK_PART);
    if (signal?.aborted) giveIn();
    signal?.addEventListener('abort', giveIn, { once: true });
    try {
      await this.#endWork(partitions, lostAlready, abandon.signal);
      if (!isLost) await Promise.race([settleCommits(), sleep(COMMITS_WITHIN_MS, undefined, { signal: done.signal })]);
    } finally {
      clearTimeout(work);
      signal?.removeEventListener('abort', giveIn);
      done.abort();
      this.#owned = new Map();
      closeCommits(this.#revoked(partitions[0]));
      for (const owned of partitions) owned.giveUp(this.#revoked(owned));
      onChange(isLost ? 'lost' : 'revoked', partitions.length);
    }
  }

  /** Until the handler has ended, or is told to and does not. */
  async #endWork(partitions: readonly KafkaPartition[], lost: boolean, signal: AbortSignal): Promise<void> {
    const { handlers, rebalanceTimeoutMs } = this.settings;
    const over = new AbortController();
    const deaf = new Promise<void>(resolve => {
      const wait = (): void =>
        void sleep(rebalanceTimeoutMs * STOP_PART, undefined, { signal: over.signal, ref: false }).then(
          () => resolve(),
          () => resolve(),
        );
      if (signal.aborted) wait();
      else signal.addEventListener('abort', wait, { once: true });
    });
    try {
      await Promise.race([handlers.revoked?.(partitions, { lost, signal }), deaf]);
    } catch (error) {
      handlers.failed?.(error);
    } finally {
      over.abort();
    }
  }

  /** The group would do without a member that is silent while it ends its work. */
  async #stayAlive(lose: () => void, signal: AbortSignal): Promise<void> {
    const { heartbeat, heartbeatIntervalMs } = this.settings;
    while (!signal.aborted) {
      const isMember = await heartbeat();
      if (!isMember && !signal.aborted) return lose();
      await sleep(heartbeatIntervalMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #revoked(partition: KafkaPartition | undefined): KafkaRevokedError {
    return new KafkaRevokedError(this.settings.group, partition?.topic ?? '', partition?.partition ?? 0);
  }
}
