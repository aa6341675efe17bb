import type { MessagingHub } from '../bus/messaging-hub.js';
import type { Handler } from '../handlers/handler.js';
import type { Aftermath } from './aftermath.js';
import { attempt, attemptOne } from './attempt.js';
import type { Share } from './batcher.js';
import type { Lane } from './lane.js';
import { Limit } from './limit.js';
import { Pace } from './pace.js';
import { Slots } from './slots.js';
import { TimeLimits } from './time-limits.js';
import type { Work } from './work.js';

/** What attempts of a handler share. */
interface Track {
  readonly slots: Slots;
  readonly limits: TimeLimits;
  readonly pace: Pace;
}

/** Runs what lanes have to do: attempts, as many of a handler at once as it allows, and what follows from them. */
export class LaneRunner {
  private readonly tracks = new Map<Handler, Track>();

  constructor(
    private readonly hub: MessagingHub,
    private readonly group: string,
    handlers: Iterable<Handler>,
    private readonly aftermath: Aftermath,
    /** The lane may go on. */
    private readonly next: (lane: Lane) => void,
  ) {
    const hasRoom = (): boolean => hub.stores.inbox?.hasRoom?.() ?? true;
    for (const handler of handlers) {
      const limits = new TimeLimits(handler);
      const pace = new Pace();
      this.tracks.set(handler, { limits, pace, slots: new Slots(handler, limits, pace, hasRoom) });
    }
  }

  /** Begins an attempt with the first message of a lane once there is a place for it, if it is still there to be handled by then. */
  one(handler: Handler, lane: Lane, work: Work): void {
    lane.state = 'queued';
    const track = this.tracks.get(handler)!;
    const { hasFailed } = lane;
    track.slots.request(hasFailed, () => {
      if (lane.state !== 'queued' || lane.queue[0] !== work) return false;
      this.startOne(handler, track, lane, work, hasFailed);
      return true;
    });
  }

  /** The same with what lanes share in a batch. */
  batch(handler: Handler, shares: readonly Share[]): void {
    const track = this.tracks.get(handler)!;
    track.slots.request(false, () => {
      const live = shares.filter(({ lane, works }) => lane.state === 'queued' && lane.queue[0] === works[0]);
      if (live.length > 0) this.startBatch(handler, track, live);
      return live.length > 0;
    });
  }

  /** Runs what a lane must see the end of, and then goes on with it. */
  run(lane: Lane, work: () => Promise<void>): void {
    lane.state = 'running';
    void work()
      .catch((error: unknown) => this.failed(lane, error))
      .then(() => this.ended(lane));
  }

  stop(): void {
    for (const { limits, slots } of this.tracks.values()) {
      slots.stop();
      limits.stop();
    }
  }

  /** Nearly every message comes this way, and nearly all succeed: what can be done at once is. */
  private startOne(handler: Handler, { slots, limits, pace }: Track, lane: Lane, work: Work, hasFailed: boolean): void {
    const limit = new Limit();
    lane.state = 'running';
    lane.abort = limit;
    work.firstAttemptAt ??= this.hub.site.clock.now();
    attemptOne(this.hub, handler, work, limit, limits, failure => {
      if (!failure) {
        pace.note(performance.now() - limit.beganAt);
        lane.hasFailed = false;
      }
      if (failure || work.ticket) {
        const attempted = { failures: [failure], whole: false };
        this.run(lane, () => this.aftermath.conclude(lane, handler, [work], 0, attempted));
      } else {
        try {
          if (!lane.partition.revoked) this.aftermath.settle(lane, work);
        } catch (error) {
          this.failed(lane, error);
        }
        this.ended(lane);
      }
      slots.release(hasFailed);
    });
  }

  /** One attempt, and what follows from it for each of its lanes. */
  private startBatch(handler: Handler, { slots, limits, pace }: Track, shares: readonly Share[]): void {
    const limit = new Limit();
    const works = shares.flatMap(share => share.works);
    const now = this.hub.site.clock.now();
    for (const work of works) work.firstAttemptAt ??= now;
    for (const { lane } of shares) {
      lane.state = 'running';
      lane.abort = limit;
    }
    const attempted = attempt(this.hub, handler, works, limit, limits)
      .then(ended => {
        if (limit.beganAt > 0 && ended.failures.includes(undefined)) pace.note(performance.now() - limit.beganAt);
        return ended;
      })
      .finally(() => slots.release(false));
    let from = 0;
    for (const { lane, works: own } of shares) {
      const at = from;
      from += own.length;
      this.run(lane, async () => this.aftermath.conclude(lane, handler, own, at, await attempted));
    }
  }

  private failed(lane: Lane, error: unknown): void {
    this.hub.site.logger.error({ msg: `The group "${this.group}" met an error of its own`, err: error });
    lane.wait(1_000, () => this.next(lane));
  }

  private ended(lane: Lane): void {
    lane.abort = undefined;
    if (lane.state === 'running') lane.state = 'idle';
    lane.end(this.next);
  }
}
