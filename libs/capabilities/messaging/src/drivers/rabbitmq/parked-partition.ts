import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RabbitmqClient, type RabbitmqMessage, RabbitmqMissingError } from '@core-infra/rabbitmq';
import type { Partition, WireMessage } from '../../driver/message.js';
import { textOf } from '../../consume/text-of.js';
import type { ParkedMessage, ParkRequest } from '../../stores/parking.js';
import {
  type Copy,
  type Entry,
  identityOf,
  type Memory,
  messageOf,
  type Read,
  readParked,
  sizeOf,
} from './parked-entry.js';
import { writeCopies } from './parked-writer.js';
import type { QueueSets } from './queue-sets.js';
import { WholeQueue } from './whole-queue.js';

/** Between attempts to read, in milliseconds. */
const AGAIN_MS = 500;
/** So many that were settled last are remembered, in case that the broker did not hear of it and brings them again. */
const REMEMBERED = 1_000;

export interface ParkedSite {
  readonly client: RabbitmqClient;
  readonly sets: QueueSets;
  readonly logger: { warn(message: string): void };
  readonly group: string;
  readonly memory: Memory;
}

/** What is parked of one partition, while one member has it: all messages of its parking queue in hand, in the order of their keys. */
export class ParkedPartition {
  private readonly lanes = new Map<string, Entry[]>();
  private readonly byIdentity = new Map<string, Entry>();
  private readonly copies = new Map<string, Copy>();
  private readonly gone = new Set<string>();
  private readonly closing = new AbortController();
  private queue?: WholeQueue;
  private reading?: Map<string, { readonly read: Read; readonly message: RabbitmqMessage }>;
  private opening?: Promise<void>;
  private isLoaded = false;
  private lastOrder = 0;

  /** @param name of the parking queue, without the prefix */
  constructor(
    private readonly site: ParkedSite,
    private readonly ref: Partition,
    private readonly name: string,
  ) {}

  get size(): number {
    return this.byIdentity.size;
  }

  get keys(): number {
    return this.lanes.size;
  }

  has(message: WireMessage): boolean {
    return this.byIdentity.has(identityOf(message));
  }

  *firsts(): Iterable<{ readonly key: string; readonly dueAt: number; readonly messages: number }> {
    for (const [key, lane] of this.lanes) yield { key, dueAt: lane[0]!.dueAt, messages: lane.length };
  }

  /** Reads what is parked, if anything ever was. */
  async load(signal: AbortSignal): Promise<void> {
    if (this.isLoaded || this.isClosed) return;
    try {
      await this.open(signal);
    } catch (error) {
      if (!(error instanceof RabbitmqMissingError)) throw error;
    }
    this.isLoaded = true;
  }

  /** Resolves when they are durable, each once; or when the partition is given up. */
  async park(requests: readonly ParkRequest[], signal: AbortSignal): Promise<void> {
    if (this.isClosed) return;
    const fresh = new Map<string, Entry>();
    for (const { message, attempts, dueAt, reason } of requests) {
      const { id, topic, key, headers, body, time, firstAttemptAt } = message;
      const wire: WireMessage = { id, topic, key, headers, body };
      const identity = identityOf(wire);
      if (this.byIdentity.has(identity) || fresh.has(identity)) continue;
      const first = firstAttemptAt === undefined ? {} : { firstAttemptAt };
      const order = this.nextOrder();
      const copy = this.copy();
      fresh.set(identity, { identity, key, time, attempts, dueAt, reason, ...first, order, wire, copy });
    }
    await this.site.sets.queue(this.name);
    if (!this.queue) await this.open(signal);
    const entries = [...fresh.values()];
    try {
      await writeCopies(
        this.site,
        this.name,
        entries.map(entry => ({ entry, copy: entry.copy })),
        signal,
        this.closing.signal,
      );
    } catch (error) {
      for (const { copy } of entries) this.settle(copy);
      throw error;
    }
    if (this.isClosed) return;
    for (const entry of entries) this.enter(entry);
  }

  async next(key: string, limit: number, signal: AbortSignal): Promise<readonly ParkedMessage[]> {
    const found: ParkedMessage[] = [];
    for (const entry of (this.lanes.get(key) ?? []).slice(0, limit)) {
      const wire = await this.content(entry, signal);
      found.push(messageOf(entry, wire, this.site.group, this.ref));
    }
    return found;
  }

  /** A copy that says so takes its place; of two copies, the one with more attempts counts. */
  async postpone(identity: string, attempts: number, dueAt: number, signal: AbortSignal): Promise<void> {
    const entry = this.byIdentity.get(identity);
    if (!entry) return;
    const wire = await this.content(entry, signal);
    const { copy: old } = entry;
    const copy = this.copy();
    await writeCopies(
      this.site,
      this.name,
      [{ entry: { ...entry, wire, attempts, dueAt }, copy }],
      signal,
      this.closing.signal,
    );
    if (this.isClosed) return;
    Object.assign(entry, { attempts, dueAt, copy });
    this.settle(old);
  }

  remove(identities: readonly string[]): void {
    for (const identity of identities) {
      const entry = this.byIdentity.get(identity);
      if (!entry) continue;
      this.settle(entry.copy);
      this.byIdentity.delete(identity);
      if (entry.isKept) this.site.memory.free(entry.isKept);
      const lane = this.lanes.get(entry.key)!;
      lane.splice(lane.indexOf(entry), 1);
      if (lane.length === 0) this.lanes.delete(entry.key);
    }
  }

  /** Everything is the queue's again, for the next to have the partition. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.closing.abort(new Error('the partition is given up'));
    for (const { isKept = 0 } of this.byIdentity.values()) this.site.memory.free(isKept);
    this.lanes.clear();
    this.byIdentity.clear();
    await this.queue?.close();
  }

  private get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  private open(signal: AbortSignal): Promise<void> {
    return (this.opening ??= this.read(signal).finally(() => (this.opening = undefined)));
  }

  /** All copies that are there. */
  private async read(signal: AbortSignal): Promise<void> {
    const before = [...this.byIdentity.values()].map(entry => ({ entry, copy: entry.copy }));
    this.reading = new Map();
    const queue = new WholeQueue(this.site.client, this.name, {
      arrived: message => this.arrived(message),
      lost: () => void this.again(),
    });
    this.queue = queue;
    try {
      await queue.open(AbortSignal.any([signal, this.closing.signal]));
    } catch (error) {
      this.queue = undefined;
      throw error;
    }
    const found = [...this.reading.values()].toSorted((one, other) => one.read.order - other.read.order);
    this.reading = undefined;
    for (const { read, message } of found) this.found(read, message);
    // Of what was open before, some may have been purged.
    this.forget(before.flatMap(({ entry, copy }) => (entry.copy === copy && !copy.delivered ? [entry] : [])));
  }

  private forget(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.site.logger.warn(`${entries.length} parked messages are gone: somebody has purged or deleted ${this.name}`);
    this.remove(entries.map(({ identity }) => identity));
  }

  /** The channel was lost, as with one that holds messages for as long as the broker allows: all come again. */
  private async again(): Promise<void> {
    this.queue = undefined;
    for (const copy of this.copies.values()) copy.delivered = undefined;
    for (let isTold = false; !this.isClosed && !this.queue; isTold = true) {
      try {
        await sleep(AGAIN_MS, undefined, { signal: this.closing.signal });
        await this.open(this.closing.signal);
      } catch (error) {
        if (error instanceof RabbitmqMissingError) return this.forget([...this.byIdentity.values()]);
        if (this.isClosed || isTold) continue;
        this.site.logger.warn(`What is parked in ${this.name} cannot be read at present: ${textOf(error)}`);
      }
    }
  }

  private arrived(message: RabbitmqMessage): void {
    const read = readParked(message, this.ref.topic);
    if (!read) return; // none of ours: it stays
    const copy = this.copies.get(read.ticket);
    if (copy) {
      // Sent twice, as its confirmation was lost.
      if (copy.delivered && !copy.delivered.isSettled) return void message.ack();
      copy.delivered = message;
      message.forget();
      copy.asked?.resolve(read.wire);
      copy.asked = undefined;
      const entry = this.byIdentity.get(identityOf(read.wire));
      if (entry?.copy === copy && !entry.isKept) entry.wire = undefined;
    } else if (this.gone.has(read.ticket)) message.ack();
    else if (this.reading) this.reading.set(read.ticket, { read, message });
    else this.found(read, message);
  }

  /** Written by who had the partition before. */
  private found(read: Read, message: RabbitmqMessage): void {
    const { ticket, wire, order, time, attempts, firstAttemptAt, dueAt, reason } = read;
    const identity = identityOf(wire);
    const known = this.byIdentity.get(identity);
    if (known && known.attempts >= attempts) return void message.ack();
    message.forget();
    const copy: Copy = { ticket, delivered: message };
    this.copies.set(ticket, copy);
    this.lastOrder = Math.max(this.lastOrder, order);
    if (known) {
      const old = known.copy;
      Object.assign(known, { attempts, dueAt, copy });
      return this.settle(old);
    }
    const first = firstAttemptAt === undefined ? {} : { firstAttemptAt };
    this.enter({ identity, key: wire.key!, order, time, attempts, dueAt, reason, ...first, wire, copy });
  }

  private enter(entry: Entry): void {
    const bytes = sizeOf(entry.wire!);
    entry.isKept = this.site.memory.take(bytes) ? bytes : 0;
    // What is on its way here is kept until it is.
    if (!entry.isKept && entry.copy.delivered) entry.wire = undefined;
    this.byIdentity.set(entry.identity, entry);
    const lane = this.lanes.get(entry.key);
    if (lane) lane.push(entry);
    else this.lanes.set(entry.key, [entry]);
  }

  private content(entry: Entry, signal: AbortSignal): Promise<WireMessage> | WireMessage {
    if (entry.wire) return entry.wire;
    const { copy } = entry;
    const { promise, reject } = (copy.asked ??= Promise.withResolvers<WireMessage>());
    const given = AbortSignal.any([signal, this.closing.signal]);
    const abort = (): void => reject(given.reason);
    given.addEventListener('abort', abort, { once: true });
    // Given back, it is delivered again at once; after a lost channel it is on its way anyway.
    copy.delivered?.nack();
    // What listens is kept, and with it the message.
    return promise.finally(() => given.removeEventListener('abort', abort));
  }

  private settle(copy: Copy): void {
    this.copies.delete(copy.ticket);
    copy.delivered?.ack();
    this.gone.add(copy.ticket);
    if (this.gone.size > REMEMBERED) this.gone.delete(this.gone.values().next().value!);
  }

  private copy(): Copy {
    const copy: Copy = { ticket: randomUUID() };
    this.copies.set(copy.ticket, copy);
    return copy;
  }

  /** Behind everything that was parked before, whoever did and whatever its clock says. */
  private nextOrder(): number {
    return (this.lastOrder = Math.max(this.lastOrder + 1, Date.now() * 1_000));
  }
}
