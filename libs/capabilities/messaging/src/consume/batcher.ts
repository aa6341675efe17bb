import type { Handler } from '../handlers/handler.js';
import type { Lane } from './lane.js';
import type { Work } from './work.js';

/** Heads of a lane that are handled together with others. */
export interface Share {
  readonly lane: Lane;
  readonly works: readonly Work[];
}

/** Gathers lanes for a handler that takes batches. */
export class Batcher {
  private readonly lanes: Lane[] = [];
  private gathered = 0;
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly handler: Handler,
    /** Finds out whose a message is. */
    private readonly read: (work: Work) => unknown,
    private readonly full: (shares: readonly Share[]) => void,
  ) {}

  /** The lane's first works go into the next batch. */
  add(lane: Lane): void {
    lane.state = 'queued';
    lane.batcher = this;
    this.lanes.push(lane);
    this.gathered += lane.queue.length;
    this.timer ??= setTimeout(() => this.flush(), this.handler.batch!.waitMs);
    this.flushFull();
  }

  /** Another message has come into one of its lanes. */
  more(): void {
    this.gathered += 1;
    this.flushFull();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const lane of this.lanes) lane.batcher = undefined;
    this.lanes.length = 0;
    this.gathered = 0;
  }

  private flushFull(): void {
    if (this.gathered >= this.handler.batch!.size) this.flush();
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.gathered = 0;
    for (const lane of this.lanes) lane.batcher = undefined;
    const lanes = this.lanes.splice(0).filter(lane => lane.state === 'queued' && lane.queue.length > 0);
    let shares: Share[] = [];
    let room = this.handler.batch!.size;
    for (const lane of lanes) {
      const works = this.shareOf(lane, room);
      shares.push({ lane, works });
      room -= works.length;
      if (room > 0) continue;
      this.full(shares);
      shares = [];
      room = this.handler.batch!.size;
    }
    if (shares.length > 0) this.full(shares);
  }

  /** The first works of the lane that are this handler's and were read. */
  private shareOf(lane: Lane, room: number): readonly Work[] {
    const works: Work[] = [];
    for (const work of lane.queue) {
      if (works.length >= room || this.read(work) || work.handler !== this.handler || work.alone) break;
      works.push(work);
    }
    return works;
  }
}
