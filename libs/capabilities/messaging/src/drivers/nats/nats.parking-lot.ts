import type { NatsClient } from '@core-infra/nats';
import type { NatsMessagingConfig } from '../../config/nats-messaging.config.js';
import type { Partition } from '../../driver/message.js';
import { ParkingFullError } from '../../errors.js';
import { ParkedPartitions } from '../../stores/parked-partitions.js';
import type { ParkedKey, ParkedMessage, ParkingLot, ParkRequest } from '../../stores/parking.js';
import { Parcels } from './parcels.js';
import { ParkedPartition } from './parking/parked-partition.js';
import type { Streams } from './streams.js';

/** A partition that a member of this process has. */
export interface Possession {
  /** Number of what is written of its owner. */
  readonly revision: number;
  /** A message of it is in the lot: the server need not deliver it again. */
  known(position: number, time: number): void;
}

/**
 * Parked messages in the stream that says who has which partition: so the server itself refuses what one writes who has it no more. Each is under a subject
 * of its own, which ends with its place in the stream that it came from.
 */
export class NatsParkingLot implements ParkingLot {
  private readonly parcels: Parcels;
  private readonly partitions = new ParkedPartitions<ParkedPartition>();

  constructor(
    private readonly client: NatsClient,
    private readonly streams: Streams,
    private readonly config: NatsMessagingConfig,
  ) {
    this.parcels = new Parcels(client, streams.names.groupsStream);
  }

  /** A member of this process has the partition. */
  assigned(group: string, ref: Partition, { revision, known }: Possession): void {
    const { names, isPinning } = this.streams;
    const { topic, number } = ref;
    this.partitions.at(group, topic, number)?.close();
    const owner = names.owner(group, topic, number);
    const site = {
      client: this.client,
      stream: names.groupsStream,
      parcels: this.parcels,
      group,
      subject: names.parked(group, topic, number),
      known,
      // Known to servers as long as pinned clients are.
      ...(isPinning && { expect: { lastSubjectSequence: revision, lastSubjectSequenceSubject: owner } }),
    };
    this.partitions.add(group, topic, number, new ParkedPartition(site, ref));
  }

  /** It has it no more. */
  revoked(group: string, { topic, number }: Partition): void {
    this.partitions.take(group, topic, number)?.close();
  }

  async keys(group: string, partitions: readonly Partition[], signal: AbortSignal): Promise<readonly ParkedKey[]> {
    const served = partitions.flatMap(ref => {
      const parked = this.partitions.at(group, ref.topic, ref.number);
      return parked ? [{ ref, parked }] : [];
    });
    await Promise.all(served.map(({ parked }) => parked.load(signal)));
    return served.flatMap(({ ref, parked }) =>
      [...parked.firsts()].map(first => ({ topic: ref.topic, partition: ref.number, ...first })),
    );
  }

  async park(group: string, requests: readonly ParkRequest[], signal: AbortSignal): Promise<void> {
    this.checkRoom(group, requests);
    const byPartition = Map.groupBy(requests, ({ message }) =>
      this.partitions.at(group, message.topic, message.partition),
    );
    await Promise.all([...byPartition].map(async ([parked, own]) => parked?.park(own, signal)));
  }

  async next(
    group: string,
    { topic, partition, key }: Omit<ParkedKey, 'dueAt' | 'messages'>,
    limit: number,
  ): Promise<readonly ParkedMessage[]> {
    return (await this.partitions.at(group, topic, partition)?.next(key, limit)) ?? [];
  }

  async postpone(message: ParkedMessage, attempts: number, dueAt: number, signal: AbortSignal): Promise<void> {
    const { group, topic, partition: number, ticket, firstAttemptAt } = message;
    await this.partitions.at(group, topic, number)?.postpone(ticket, { attempts, dueAt, firstAttemptAt }, signal);
  }

  async remove(messages: readonly ParkedMessage[]): Promise<void> {
    const byPartition = Map.groupBy(messages, ({ group, topic, partition }) =>
      this.partitions.at(group, topic, partition),
    );
    await Promise.all([...byPartition].map(async ([parked, own]) => parked?.remove(own.map(({ ticket }) => ticket))));
  }

  /** Of the partitions that this process has. */
  // eslint-disable-next-line typescript/require-await -- as the port has it
  async size(group?: string): Promise<{ readonly keys: number; readonly messages: number; readonly bytes: number }> {
    return { ...this.partitions.size(group), bytes: this.bytesOf(group) };
  }

  /** @throws ParkingFullError */
  private checkRoom(group: string, requests: readonly ParkRequest[]): void {
    const { maxParked, maxParkedBytes } = this.config;
    const { messages } = this.partitions.size(group);
    const bytes = this.bytesOf(group);
    let more = 0;
    let moreBytes = 0;
    for (const { message } of requests) {
      const { topic, partition: number, body } = message;
      if (this.partitions.at(group, topic, number)?.has(message)) continue;
      more += 1;
      moreBytes += body.length;
    }
    if (more > 0 && (messages + more > maxParked || bytes + moreBytes > maxParkedBytes))
      throw new ParkingFullError(group, messages);
  }

  private bytesOf(group: string | undefined): number {
    return this.partitions.of(group).reduce((sum, { bytes }) => sum + bytes, 0);
  }
}
