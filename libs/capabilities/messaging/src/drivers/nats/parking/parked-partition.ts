import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsClient } from '@core-infra/nats';
import type { Partition } from '../../../driver/message.js';
import type { ParkedMessage, ParkRequest } from '../../../stores/parking.js';
import { unpack } from '../packed.js';
import type { Parcels } from '../parcels.js';
import { read } from '../reading.js';
import {
  type Parked,
  type ParkedContent,
  type ParkedState,
  parcelOf,
  parkedOf,
  STATE,
  stateHeaders,
  stateOf,
  ticketOf,
} from './parked.js';

/** Between attempts, in milliseconds. */
const AGAIN_MS = 500;
/** What the server says when the owner is another by now. */
const WRONG_LAST_SEQUENCE = new Set([10_071, 10_164]);

export interface ParkedSite {
  readonly client: NatsClient;
  readonly stream: string;
  readonly parcels: Parcels;
  readonly group: string;
  /** What is before the tickets in subjects. */
  readonly subject: string;
  /** What must be true of the stream for a message to be taken: that the partition is this owner's. */
  readonly expect?: { readonly lastSubjectSequence: number; readonly lastSubjectSequenceSubject: string };
  /** The message is in the lot: the server need not deliver it again. */
  known(position: number, time: number): void;
}

/** What is parked of one partition, for as long as this member has it: content at the server, and where it is in memory. */
export class ParkedPartition {
  private readonly lanes = new Map<string, Parked[]>();
  private readonly tickets = new Map<string, Parked>();
  private isLoaded = false;
  private isClosed = false;
  bytes = 0;

  constructor(
    private readonly site: ParkedSite,
    private readonly ref: Partition,
  ) {}

  get size(): number {
    return this.tickets.size;
  }

  get keys(): number {
    return this.lanes.size;
  }

  has(message: ParkRequest['message']): boolean {
    return this.tickets.has(ticketOf(message));
  }

  *firsts(): Iterable<{ readonly key: string; readonly dueAt: number; readonly messages: number }> {
    for (const [key, lane] of this.lanes) yield { key, dueAt: lane[0]!.dueAt, messages: lane.length };
  }

  /** Finds out what those who had the partition before have left. */
  async load(signal: AbortSignal): Promise<void> {
    if (this.isLoaded || this.isClosed) return;
    const { client, stream, subject, parcels, known } = this.site;
    const found = new Map<string, Parked>();
    const behind = new Set<string>();
    const states: [string, ReturnType<typeof stateOf>][] = [];
    const reading = { stream, filter: `${subject}.>`, headersOnly: true, atOnce: 1_000 };
    for await (const entry of read(client, reading, signal)) {
      const [ticket = '', more] = entry.subject.slice(subject.length + 1).split('.');
      if (more !== undefined) behind.add(ticket);
      else if (entry.headers) found.set(ticket, parkedOf(ticket, entry.sequence, entry.headers));
      if (more === STATE && entry.headers) states.push([ticket, stateOf(entry.headers)]);
    }
    for (const [ticket, state] of states) {
      const parked = found.get(ticket);
      if (parked) Object.assign(parked, state);
    }
    for (const ticket of behind) {
      const parked = found.get(ticket);
      if (parked) parked.hasMore = true;
      // Of a message that was removed, or of which not all had come.
      else await parcels.removeBehind(`${subject}.${ticket}`);
    }
    if (this.isClosed) return;
    for (const parked of found.values()) {
      this.enter(parked);
      known(parked.position, parked.time);
    }
    this.isLoaded = true;
  }

  /** Resolves when they are durable, or of no use as the partition is given up. Once some of them are, it is not left open whether the others are. */
  async park(requests: readonly ParkRequest[], signal: AbortSignal): Promise<void> {
    let left = requests.filter(({ message }) => !this.has(message));
    for (let isBegun = false; left.length > 0 && !this.isClosed; await sleep(AGAIN_MS, undefined, { signal })) {
      const results = await Promise.allSettled(left.map(request => this.put(request, signal)));
      const failed = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
      if (!failed || this.isClosed) return;
      isBegun ||= results.some(({ status }) => status === 'fulfilled');
      // It may not be taken for parked: its server is not to forget it.
      if (isRefused(failed.reason))
        throw new Error('another member has the partition by now', { cause: failed.reason });
      if (!isBegun) throw failed.reason;
      left = left.filter((_, at) => results[at]!.status === 'rejected');
    }
  }

  async next(key: string, limit: number): Promise<ParkedMessage[]> {
    // What turns out to be gone is left out for good, so those behind it are found the next time.
    for (;;) {
      const { size } = this;
      const found = await this.look(key, limit);
      if (found.length > 0 || this.size === size) return found;
    }
  }

  private async look(key: string, limit: number): Promise<ParkedMessage[]> {
    const { parcels, subject, group } = this.site;
    const first = (this.lanes.get(key) ?? []).slice(0, limit);
    const parcelsOfKey = await Promise.all(
      first.map(({ ticket }) => parcels.get({ last_by_subj: `${subject}.${ticket}` })),
    );
    return first.flatMap((parked, at) => {
      const parcel = parcelsOfKey[at];
      const content = parcel && unpack<ParkedContent>(parcel.bytes);
      if (!content) {
        // Who had the partition before has handled it after all.
        this.leave(parked);
        return [];
      }
      const { id, headers, time } = content.known;
      const { firstAttemptAt = content.known.firstAttemptAt } = parked;
      return {
        id,
        topic: this.ref.topic,
        key,
        headers,
        body: content.body,
        ticket: parked.ticket,
        group,
        partition: this.ref.number,
        position: parked.position,
        time,
        attempts: parked.attempts,
        ...(firstAttemptAt !== undefined && { firstAttemptAt }),
      };
    });
  }

  async postpone(ticket: string, state: ParkedState, signal: AbortSignal): Promise<void> {
    const parked = this.tickets.get(ticket);
    if (!parked) return;
    const { client, subject, expect } = this.site;
    try {
      await client.publish(
        {
          subject: `${subject}.${ticket}.${STATE}`,
          data: '',
          headers: stateHeaders(state),
          ...(expect && { expect }),
        },
        { signal },
      );
    } catch (error) {
      // Who has the partition now counts its attempts.
      if (!isRefused(error)) throw error;
    }
    Object.assign(parked, state, { hasMore: true });
  }

  async remove(tickets: readonly string[]): Promise<void> {
    const { parcels, subject } = this.site;
    await Promise.all(
      tickets.map(async ticket => {
        const parked = this.tickets.get(ticket);
        if (!parked) return;
        await parcels.remove({ ...parked, subject: `${subject}.${ticket}` });
        this.leave(parked);
      }),
    );
  }

  /** Nothing is written from now on. */
  close(): void {
    this.isClosed = true;
    this.lanes.clear();
    this.tickets.clear();
    this.bytes = 0;
  }

  private async put(request: ParkRequest, signal: AbortSignal): Promise<void> {
    const { parcels, subject, expect } = this.site;
    const { parked, bytes, headers } = parcelOf(request);
    const to = `${subject}.${parked.ticket}`;
    const { sequence, parts } = await parcels.put(to, bytes, { headers, ...(expect && { expect }) }, signal);
    if (!this.isClosed) this.enter({ ...parked, sequence, hasMore: parts > 1 });
  }

  private enter(parked: Parked): void {
    if (this.tickets.has(parked.ticket)) return;
    this.tickets.set(parked.ticket, parked);
    this.bytes += parked.bytes;
    const lane = this.lanes.get(parked.key);
    if (!lane) this.lanes.set(parked.key, [parked]);
    else {
      // Several are on their way at once, and one that was sent again comes later.
      const at = lane.findLastIndex(({ position }) => position < parked.position);
      lane.splice(at + 1, 0, parked);
    }
  }

  private leave(parked: Parked): void {
    if (!this.tickets.delete(parked.ticket)) return;
    this.bytes -= parked.bytes;
    const lane = this.lanes.get(parked.key)!;
    lane.splice(lane.indexOf(parked), 1);
    if (lane.length === 0) this.lanes.delete(parked.key);
  }
}

function isRefused(error: unknown): boolean {
  return WRONG_LAST_SEQUENCE.has((error as { apiCode?: number }).apiCode ?? 0);
}
