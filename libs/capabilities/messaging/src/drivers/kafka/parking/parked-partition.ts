import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaClient, KafkaDelivery, KafkaPartition, KafkaRecord } from '@core-infra/kafka';
import { InfraError } from '@core-infra/kernel';
import type { Logger } from '@nestjs/common';
import type { ParkedMessage } from '../../../stores/parking.js';
import type { MemoryBudget } from './memory-budget.js';
import {
  claimRecord,
  messageRecords,
  type Parked,
  ParkedLog,
  type ParkedMeta,
  packed,
  parkedOf,
  removal,
  type ParkedState,
  stateKey,
  stateRecord,
  unpacked,
} from './parked-log.js';

/** Between attempts to write, in milliseconds. */
const AGAIN_MS = 500;
/** How long an owner whose assignment does not look like the latest waits to be told so, in milliseconds. */
const DOUBT_MS = 5_000;
/** So many records may be in the log beyond what is parked before its beginning is deleted. */
const TRIM_AFTER = 2_000;

export interface ParkedSite {
  readonly client: KafkaClient;
  /** Topic of the log; the partition has the same number as that of the messages. */
  readonly topic: string;
  readonly group: string;
  readonly memory: MemoryBudget;
  readonly logger: Logger;
}

type Draft = Omit<KafkaRecord, 'topic' | 'partition'>;

/** What is parked of one partition, for the time of one assignment: a log in Kafka, and what it comes to in memory. */
export class ParkedPartition {
  private readonly owner = randomUUID();
  private readonly lanes = new Map<string, Parked[]>();
  private readonly tickets = new Map<string, Parked>();
  private readonly positions = new Set<number>();
  private isReady = false;
  private isClosed = false;
  private written = 0;
  private isTrimming = false;
  private counter = 0;
  private claimedAt = 0n;
  private epoch = 0;

  constructor(
    private readonly site: ParkedSite,
    private readonly source: KafkaPartition,
  ) {}

  get size(): number {
    return this.tickets.size;
  }

  get keys(): number {
    return this.lanes.size;
  }

  *firsts(): Iterable<{ readonly key: string; readonly dueAt: number; readonly messages: number }> {
    for (const [key, lane] of this.lanes) yield { key, dueAt: lane[0]!.dueAt, messages: lane.length };
  }

  /** Reads the log, and claims it. Resolves at once when the partition is given up meanwhile. */
  async load(signal: AbortSignal): Promise<void> {
    if (this.isReady || this.isClosed) return;
    const log = new ParkedLog();
    const { start, end } = await this.bounds();
    await this.readInto(log, start, end, signal);
    const { generation } = this.source;
    let epoch = Math.max(generation, 1);
    if (log.claim && log.claim.owner !== this.owner && epoch <= log.claim.epoch) {
      // Either another has the partition by now, and this member is about to hear of it; or the group was forgotten, and counts anew.
      await sleep(DOUBT_MS, undefined, { signal: this.source.signal }).catch(() => undefined);
      epoch = log.claim.epoch + 1;
    } else if (log.claim?.owner === this.owner) ({ epoch } = log.claim);
    if (this.isOver) return;
    this.epoch = epoch;
    // What is stale goes first: it must not come to count again when the claim that made it so is compacted.
    const drafts = [...[...log.stale].map(removal), claimRecord({ epoch, owner: this.owner })];
    const claimed = await this.write(drafts, signal);
    if (!claimed) return;
    const behind = claimed.at(-1)?.offset;
    this.claimedAt = behind ?? (await this.bounds()).end - 1n;
    await this.readInto(log, end, this.claimedAt + 1n, signal);
    if (this.isOver) return;
    if (log.claim?.owner !== this.owner)
      throw new Error(`another member has claimed partition ${this.source.partition} of "${this.site.topic}"`);
    for (const parked of [...log.messages.values()].toSorted((one, other) => one.position - other.position))
      this.enter(parked);
    this.isReady = true;
    void this.trim();
  }

  has(position: number): boolean {
    return this.positions.has(position);
  }

  /** Resolves when it is durable, or is of no use any more as the partition is given up. */
  async park(messages: readonly { readonly meta: ParkedMeta; readonly body: Buffer }[], signal: AbortSignal) {
    if (!this.isReady || this.isOver) return;
    const fresh = messages
      .filter(({ meta }) => !this.positions.has(meta.position))
      .map(({ meta, body }) => {
        const ticket = `${this.owner}-${(this.counter += 1)}`;
        const bytes = packed(meta, body);
        return { ticket, bytes, records: messageRecords(ticket, this.owner, bytes) };
      });
    const written = await this.write(
      fresh.flatMap(({ records }) => records),
      signal,
    );
    if (!written) return;
    let at = 0;
    for (const { ticket, bytes, records } of fresh) {
      const offsets = written.slice(at, (at += records.length)).flatMap(({ offset }) => offset ?? []);
      // The broker does not say where a record is that it had already; then it is not looked for there.
      if (offsets.length < records.length) offsets.length = 0;
      this.enter(parkedOf(ticket, bytes, new Set(records.map(({ key }) => key)), offsets));
    }
  }

  async next(key: string, limit: number, signal: AbortSignal): Promise<ParkedMessage[]> {
    const messages: ParkedMessage[] = [];
    for (const parked of (this.lanes.get(key) ?? []).slice(0, limit)) {
      const { meta, body } = unpacked(parked.packed ?? (await this.read(parked, signal)));
      const { id, headers, time } = meta;
      const { firstAttemptAt = meta.firstAttemptAt } = parked;
      messages.push({
        id,
        topic: this.source.topic,
        key,
        headers,
        body,
        ticket: parked.ticket,
        group: this.site.group,
        partition: this.source.partition,
        position: parked.position,
        time,
        attempts: parked.attempts,
        ...(firstAttemptAt !== undefined && { firstAttemptAt }),
      });
    }
    return messages;
  }

  async postpone(ticket: string, state: ParkedState, signal: AbortSignal): Promise<void> {
    const parked = this.tickets.get(ticket);
    if (!parked || !(await this.write([stateRecord(ticket, this.owner, state)], signal))) return;
    parked.records.add(stateKey(ticket, this.owner));
    Object.assign(parked, state);
  }

  async remove(tickets: readonly string[], signal: AbortSignal): Promise<void> {
    const found = tickets.flatMap(ticket => this.tickets.get(ticket) ?? []);
    if (
      !(await this.write(
        found.flatMap(({ records }) => [...records].map(removal)),
        signal,
      ))
    )
      return;
    for (const parked of found) this.leave(parked);
    if (this.written > TRIM_AFTER + 2 * this.tickets.size) void this.trim();
  }

  /** Nothing is written from now on. */
  close(): void {
    this.isClosed = true;
    for (const { packed: bytes } of this.tickets.values()) this.site.memory.free(bytes?.length ?? 0);
    this.tickets.clear();
    this.lanes.clear();
    this.positions.clear();
  }

  private get isOver(): boolean {
    return this.isClosed || this.source.signal.aborted;
  }

  private enter(parked: Parked): void {
    if (this.positions.has(parked.position)) return;
    if (!this.site.memory.take(parked.bytes, parked.offsets.length === 0)) parked.packed = undefined;
    this.tickets.set(parked.ticket, parked);
    this.positions.add(parked.position);
    const lane = this.lanes.get(parked.key);
    if (lane) lane.push(parked);
    else this.lanes.set(parked.key, [parked]);
  }

  private leave(parked: Parked): void {
    this.tickets.delete(parked.ticket);
    this.positions.delete(parked.position);
    this.site.memory.free(parked.packed?.length ?? 0);
    const lane = this.lanes.get(parked.key)!;
    lane.splice(lane.indexOf(parked), 1);
    if (lane.length === 0) this.lanes.delete(parked.key);
  }

  /**
   * Until the log has them: what is not known to have arrived is sent again, as it may not be left open whether it is parked.
   * @returns where they are; nothing when the partition is given up
   */
  private async write(drafts: readonly Draft[], signal: AbortSignal): Promise<KafkaDelivery[] | undefined> {
    const { client, topic } = this.site;
    const records = drafts.map(draft => ({ ...draft, topic, partition: this.source.partition }));
    this.written += records.length;
    for (let isOpen = false; !this.isOver; isOpen = true) {
      const results = await client.producer.sendBatch(records, { signal });
      const failed = results.find(result => result.status === 'rejected');
      if (!failed) return results.flatMap(result => (result.status === 'fulfilled' ? result.value : []));
      signal.throwIfAborted();
      const error = failed.reason as unknown;
      if (!isOpen && error instanceof InfraError && !error.retryable) throw error;
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      signal.throwIfAborted();
    }
    return undefined;
  }

  private async read({ offsets }: Parked, signal: AbortSignal): Promise<Buffer> {
    const parts: Buffer[] = [];
    const { client, topic } = this.site;
    for (const from of offsets)
      for await (const messages of client.reader.read(topic, this.source.partition, { from, to: from + 1n }, signal))
        for (const { value } of messages) parts.push(value!);
    return Buffer.concat(parts);
  }

  private async readInto(log: ParkedLog, from: bigint, to: bigint, signal: AbortSignal): Promise<void> {
    const { client, topic } = this.site;
    for await (const messages of client.reader.read(topic, this.source.partition, { from, to }, signal)) {
      for (const message of messages) log.take(message);
      this.written += messages.length;
    }
  }

  private async bounds(): Promise<{ readonly start: bigint; readonly end: bigint }> {
    const { client, topic } = this.site;
    const found = (await client.reader.bounds(topic)).find(({ partition }) => partition === this.source.partition);
    if (!found)
      throw new Error(`the topic "${topic}" has fewer partitions than "${this.source.topic}"; give it as many`);
    return found;
  }

  /** Deletes the beginning of the log, of which nothing is parked any more; the claim is renewed first, as it has to stay. */
  private async trim(): Promise<void> {
    if (this.isTrimming || this.isOver) return;
    this.isTrimming = true;
    const { client, topic, logger } = this.site;
    try {
      if (this.written > TRIM_AFTER) {
        const claim = { epoch: this.epoch, owner: this.owner };
        const renewed = await this.write([claimRecord(claim)], this.source.signal);
        this.claimedAt = renewed?.[0]?.offset ?? this.claimedAt;
      }
      if ([...this.tickets.values()].some(({ offsets }) => offsets.length === 0)) return;
      let oldest = this.claimedAt;
      for (const { offsets } of this.tickets.values())
        for (const offset of offsets) if (offset < oldest) oldest = offset;
      if (this.isOver) return;
      await client.admin.deleteRecords(topic, new Map([[this.source.partition, oldest]]));
      this.written = 0;
    } catch (error) {
      if (!this.isOver) logger.debug(`The topic "${topic}" was not trimmed: ${(error as Error).message}`);
    } finally {
      this.isTrimming = false;
    }
  }
}
