import type { Partition } from '../driver/message.js';
import type { Batcher } from './batcher.js';
import type { Limit } from './limit.js';
import type { Work } from './work.js';

/** A partition that this member serves. */
export class ServedPartition {
  /** About to be given up: nothing is begun any more. */
  closing = false;
  /** Given up: nothing of it is settled any more. */
  revoked = false;
  readonly lanes = new Map<string, Lane>();
  /** Messages without a key, each in a lane of its own. */
  readonly loose = new Set<Lane>();

  constructor(readonly ref: Partition) {}

  *all(): Iterable<Lane> {
    yield* this.lanes.values();
    yield* this.loose;
  }
}

/** Messages of one key of a partition, one after another; a message without a key has a lane to itself. */
export class Lane {
  readonly queue: Work[];
  /**
   * `idle`: may be started; `queued`: waits for a place; `running`: an attempt is under way, or its aftermath; `waiting`: until its timer.
   */
  state: 'idle' | 'queued' | 'running' | 'waiting' = 'idle';
  timer?: NodeJS.Timeout;
  /** Its last attempt has failed, and not since a server was away: until one succeeds, it may not take the places of other keys. */
  hasFailed = false;
  /** Messages of the key are in the parking lot: those that come now go behind them. */
  parked = false;
  /** Have come while parked, and are to go into the lot. */
  readonly arriving: Work[] = [];
  /** Pending while some of them are on their way into it. */
  storing?: Promise<void>;
  /** How many have got there, ever. */
  stored = 0;
  /** How large those of it were that were last taken out of the lot, on average; unknown at first. */
  parkedBytes?: number;
  /** Waits for others with which its first messages are handled together. */
  batcher?: Batcher;
  /** It waits in hand: called once more has come meanwhile than may wait there. */
  crowded?: () => void;
  /** Ends the attempt under way. */
  abort?: Limit;
  /** Who waits for the end of what is under way. */
  private ending?: PromiseWithResolvers<void>;

  constructor(
    readonly partition: ServedPartition,
    readonly key: string | undefined,
    first?: Work,
  ) {
    // An array that is filled after it was made has room for sixteen more, and most lanes never have more than one.
    this.queue = first ? [first] : [];
  }

  get isEmpty(): boolean {
    return this.queue.length === 0 && !this.parked && this.arriving.length === 0 && !this.storing;
  }

  /** Calls back after `delayMs`, unless the lane is given up. */
  wait(delayMs: number, next: () => void): void {
    this.state = 'waiting';
    if (this.partition.closing) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        if (this.partition.revoked) return;
        this.state = 'idle';
        next();
      },
      Math.min(Math.max(0, delayMs), 2_147_483_647),
    );
  }

  /** Resolves when what is under way has ended, and what follows from it is begun. */
  whenEnded(): Promise<void> {
    if (this.state !== 'running') return Promise.resolve();
    return (this.ending ??= Promise.withResolvers<void>()).promise;
  }

  /** What was under way has ended. */
  end(goOn: (lane: Lane) => void): void {
    const { ending } = this;
    this.ending = undefined;
    goOn(this);
    ending?.resolve();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.crowded = undefined;
    this.queue.length = 0;
    this.arriving.length = 0;
  }
}
