import type { MessagingHub } from '../bus/messaging-hub.js';
import { tell } from '../events/messaging-events.js';
import { ParkingFullError } from '../errors.js';
import type { ParkedKey, ParkedMessage, ParkingLot, ParkRequest } from '../stores/parking.js';
import { Lane, type ServedPartition } from './lane.js';
import { textOf } from './text-of.js';
import { Turns } from './turns.js';
import { untilDone } from './until-done.js';
import { type Work, workOf } from './work.js';

const atOnce = 50;
const leastWaiting = 4;
const mostWaiting = 16;

export interface ParkingSite {
  readonly signal: AbortSignal;
  /** The lane has something to do, or may be done with. */
  resume(lane: Lane): void;
  /** Runs what the lane must see the end of. */
  run(lane: Lane, work: () => Promise<void>): void;
  /** The message is kept in the lot, and need not be at the broker. */
  settled(work: Work): void;
  /** The message is the broker's again, or the lot's. */
  released(work: Work): void;
  /** It was taken out of the lot. */
  taken(work: Work): void;
  /** It waits in hand, or no more. */
  rests(work: Work, rests: boolean): void;
  /** So much is in hand that nothing should wait there. */
  isTight(): boolean;
  /** Nothing more should be taken into memory. */
  isHeld(): boolean;
  /** How many attempts of the group run at once. */
  readonly attempts: number;
}

/** Keys of a group that wait for another attempt: in hand for a moment, in the parking lot for longer, if there is one. */
export class Parking {
  private readonly turns: Turns;
  /** What one key may have in hand out of the lot, so that all that take at once have a quarter of what may be in flight. */
  private readonly share: { readonly messages: number; readonly bytes: number };

  /** With so many messages a key does not wait in hand: there would soon be no room there for others. */
  private readonly crowd: number;

  constructor(
    private readonly hub: MessagingHub,
    private readonly group: string,
    private readonly site: ParkingSite,
  ) {
    const { maxInFlight, maxBytesInFlight } = hub.config.consumers;
    this.crowd = Math.min(mostWaiting, Math.max(leastWaiting, Math.floor(maxInFlight / 64)));
    // Twice as many keys as attempts, so that none of these waits for the lot.
    const keys = Math.max(1, Math.min(site.attempts * 2, Math.floor(maxInFlight / 4)));
    this.turns = new Turns(
      keys,
      () => site.isHeld(),
      lane => this.fetch(lane),
    );
    this.share = { messages: Math.min(atOnce, maxInFlight / 4 / keys), bytes: maxBytesInFlight / 4 / keys };
  }

  private get lot(): ParkingLot | undefined {
    return this.hub.stores.parking ?? this.hub.driver.parking;
  }

  /** Lays the lanes of keys that were parked when these partitions were last served. */
  async load(partitions: readonly ServedPartition[]): Promise<void> {
    const { lot } = this;
    if (!lot) return;
    const { clock } = this.hub.site;
    const { signal } = this.site;
    const refs = partitions.map(({ ref }) => ref);
    let keys: readonly ParkedKey[] = [];
    // Until it is known which keys are parked, nothing of a partition may be handled.
    const known = await untilDone(
      async () => (keys = await lot.keys(this.group, refs, signal)),
      signal,
      (error, times) => this.complain(error, times),
    );
    if (!known) return;
    for (const { topic, partition, key, dueAt } of keys) {
      const served = partitions.find(({ ref }) => ref.topic === topic && ref.number === partition);
      if (!served || served.closing) continue;
      const lane = new Lane(served, key);
      lane.parked = true;
      lane.hasFailed = true;
      served.lanes.set(key, lane);
      lane.wait(dueAt - clock.now(), () => this.site.resume(lane));
    }
  }

  /** The first message of the lane has failed and is due again after the delay; those behind wait for it. */
  async retry(lane: Lane, work: Work, delayMs: number, error: unknown): Promise<void> {
    const { lot } = this;
    const wait = (): void => lane.wait(delayMs, () => this.site.resume(lane));
    const { signal } = this.site;
    const { clock } = this.hub.site;
    const dueAt = clock.now() + delayMs;
    const { ticket } = work;
    if (ticket && lot) {
      await untilDone(
        () => lot.postpone({ ...ticket, firstAttemptAt: work.firstAttemptAt! }, work.attempts, dueAt, signal),
        signal,
        (error, times) => this.complain(error, times),
      );
      // It may be long: what is in the lot is not kept in memory as well.
      this.putBack(lane);
      wait();
      return;
    }
    if (!lot || lane.key === undefined) return this.waitInHand(lane, delayMs);
    const { parkAfterMs } = this.hub.config.retry;
    if (delayMs >= parkAfterMs || this.site.isTight() || lane.queue.length > this.crowd)
      return this.park(lot, lane, dueAt, error);
    lane.crowded = () => this.site.run(lane, () => this.park(lot, lane, dueAt, error));
    this.waitInHand(lane, delayMs);
  }

  /** A message has come for a lane that waits. */
  more(lane: Lane): void {
    const { crowded } = lane;
    if (!crowded || lane.queue.length <= this.crowd) return;
    lane.crowded = undefined;
    clearTimeout(lane.timer);
    crowded();
  }

  /** Puts a message behind those of its key. */
  append(lane: Lane, work: Work): void {
    lane.arriving.push(work);
    this.keep(lane);
  }

  /** Gets the next messages of a parked key, in its turn; when there are none left, the lane goes on as usual. */
  fetch(lane: Lane): void {
    if (!this.turns.take(lane)) return;
    lane.state = 'running';
    void this.take(lane).then(() => lane.end(() => this.site.resume(lane)));
  }

  /** The lane waits with what it has in hand until then, and so does what comes for it meanwhile. */
  waitInHand(lane: Lane, delayMs: number): void {
    for (const work of lane.queue) this.site.rests(work, true);
    lane.wait(delayMs, () => {
      lane.crowded = undefined;
      for (const work of lane.queue) this.site.rests(work, false);
      this.site.resume(lane);
    });
  }

  /** The lane is given up. */
  leave(lane: Lane): void {
    this.turns.leave(lane);
  }

  /** More may be taken into memory again. */
  goOn(): void {
    this.turns.goOn();
  }

  remove(ticket: ParkedMessage): Promise<void> {
    return this.lot!.remove([ticket], this.site.signal);
  }

  /** Puts all that the lane has in hand into the lot; the first of it is due then. */
  private async park(lot: ParkingLot, lane: Lane, dueAt: number, error: unknown): Promise<void> {
    const { clock } = this.hub.site;
    const works = [...lane.queue];
    const requests = works.map((each, at) => requestOf(each, at === 0 ? dueAt : 0, at === 0 ? error : undefined));
    try {
      await lot.park(this.group, requests, this.site.signal);
    } catch (failure) {
      // It waits in hand: no further from the broker than it was.
      this.complain(failure);
      return this.waitInHand(lane, dueAt - clock.now());
    }
    if (lane.partition.revoked) return;
    lane.parked = true;
    for (const each of works) {
      lane.queue.splice(lane.queue.indexOf(each), 1);
      this.site.settled(each);
    }
    // What has come meanwhile goes behind them.
    for (const each of lane.queue.splice(0)) this.append(lane, each);
    const { topic } = works[0]!.message;
    tell(this.hub.site, { kind: 'parked', group: this.group, topic, messages: works.length });
    lane.wait(dueAt - clock.now(), () => this.site.resume(lane));
  }

  private async take(lane: Lane): Promise<void> {
    const { topic, number: partition } = lane.partition.ref;
    let found: readonly ParkedMessage[] = [];
    const { signal } = this.site;
    const { stored } = lane;
    const limit = this.roomOf(lane);
    const asked = await untilDone(
      async () => (found = await this.lot!.next(this.group, { topic, partition, key: lane.key! }, limit, signal)),
      signal,
      (error, times) => this.complain(error, times),
    );
    if (!asked || lane.partition.revoked) return;
    lane.state = 'idle';
    if (found.length > 0) {
      const works = found.map(ticket => workOf({ position: -1, ...ticket }, ticket));
      lane.parkedBytes = works.reduce((sum, { bytes }) => sum + bytes, 0) / works.length;
      lane.queue.push(...works);
      for (const work of works) this.site.taken(work);
      return;
    }
    this.turns.leave(lane);
    // Something may have got there after the lot was looked at.
    if (lane.storing || lane.stored !== stored) return lane.wait(10, () => this.site.resume(lane));
    // Nothing of the key is in the lot: what has come meanwhile need not go there.
    lane.parked = false;
    lane.queue.push(...lane.arriving.splice(0));
  }

  /** How many messages a key may take: one at first, and while it fails, then by how large they were. */
  private roomOf({ hasFailed, parkedBytes }: Lane): number {
    if (hasFailed || parkedBytes === undefined) return 1;
    return Math.max(1, Math.floor(Math.min(this.share.messages, this.share.bytes / (parkedBytes + 1))));
  }

  /** The lane keeps nothing in hand of what is in the lot. */
  private putBack(lane: Lane): void {
    for (const work of lane.queue.splice(0)) this.site.released(work);
    this.turns.leave(lane);
  }

  /** Sees to it that what has come for a parked key gets into the lot. */
  private keep(lane: Lane): void {
    lane.storing ??= this.store(lane).finally(() => {
      lane.storing = undefined;
      // Something may have come after the last look: what was settled lets the next in.
      if (lane.arriving.length > 0 && this.mayStore(lane)) this.keep(lane);
    });
  }

  private mayStore({ partition }: Lane): boolean {
    return !partition.closing && !this.site.signal.aborted;
  }

  private async store(lane: Lane): Promise<void> {
    const { signal } = this.site;
    const { partition } = lane;
    while (lane.arriving.length > 0 && this.mayStore(lane)) {
      const works = lane.arriving.splice(0, atOnce);
      const requests = works.map(work => requestOf(work, 0, undefined));
      let most = works.length;
      const stored = await untilDone(
        async () => {
          try {
            await this.lot!.park(this.group, requests.slice(0, most), signal);
          } catch (error) {
            // There may never be room for so many at once.
            if (error instanceof ParkingFullError) most = 1;
            throw error;
          }
        },
        signal,
        (error, times) => this.complain(error, times),
      );
      if (!stored || partition.revoked) {
        for (const work of works) this.site.released(work);
        return;
      }
      lane.arriving.unshift(...works.splice(most));
      lane.stored += works.length;
      for (const work of works) this.site.settled(work);
      tell(this.hub.site, {
        kind: 'parked',
        group: this.group,
        topic: works[0]!.message.topic,
        messages: works.length,
      });
    }
  }

  /** A step that is tried again is told of once. */
  private complain(error: unknown, times: number = 1): void {
    if (times > 1) return;
    const message = textOf(error);
    if (error instanceof ParkingFullError) this.hub.site.logger.warn(message);
    else this.hub.site.logger.warn(`The group "${this.group}" cannot park messages, and holds them: ${message}`);
  }
}

function requestOf(work: Work, dueAt: number, error: unknown): ParkRequest {
  const { message, attempts, firstAttemptAt } = work;
  return {
    message: { ...message, key: message.key!, ...(firstAttemptAt !== undefined && { firstAttemptAt }) },
    attempts,
    dueAt,
    reason: error === undefined ? '' : textOf(error).slice(0, 500),
  };
}
