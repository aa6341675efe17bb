import type { NatsClient } from '@core-infra/nats';
import type { NatsMessagingConfig } from '../../config/nats-messaging.config.js';
import type { Partition } from '../../driver/message.js';
import { ParkingFullError } from '../../errors.js';
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
  private readonly groups = new Map<string, Map<string, ParkedPartition>>();

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
    let own = this.groups.get(group);
    if (!own) this.groups.set(group, (own = new Map()));
    own.get(nameOf(ref))?.close();
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
    own.set(nameOf(ref), new ParkedPartition(site, ref));
  }

  /** It has it no more. */
  revoked(group: string, ref: Partition): void {
    const own = this.groups.get(group);
    own?.get(nameOf(ref))?.close();
    own?.delete(nameOf(ref));
  }

  async keys(group: string, partitions: readonly Partition[], signal: AbortSignal): Promise<readonly ParkedKey[]> {
    const served = partitions.flatMap(ref => {
      const parked = this.at(group, ref);
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
      this.at(group, { topic: message.topic, number: message.partition }),
    );
    await Promise.all([...byPartition].map(async ([parked, own]) => parked?.park(own, signal)));
  }

  async next(
    group: string,
    { topic, partition, key }: Omit<ParkedKey, 'dueAt' | 'messages'>,
    limit: number,
  ): Promise<readonly ParkedMessage[]> {
    return (await this.at(group, { topic, number: partition })?.next(key, limit)) ?? [];
  }

  async postpone(message: ParkedMessage, attempts: number, dueAt: number, signal: AbortSignal): Promise<void> {
    const { group, topic, partition: number, ticket, firstAttemptAt } = message;
    await this.at(group, { topic, number })?.postpone(ticket, { attempts, dueAt, firstAttemptAt }, signal);
  }

  async remove(messages: readonly ParkedMessage[]): Promise<void> {
    const byPartition = Map.groupBy(messages, ({ group, topic, partition }) =>
      this.at(group, { topic, number: partition }),
    );
    await Promise.all([...byPartition].map(async ([parked, own]) => parked?.remove(own.map(({ ticket }) => ticket))));
  }

  /** Of the partitions that this process has. */
  // eslint-disable-next-line typescript/require-await -- as the port has it
  async size(group?: string): Promise<{ readonly keys: number; readonly messages: number; readonly bytes: number }> {
    let [keys, messages, bytes] = [0, 0, 0];
    for (const [name, partitions] of this.groups)
      if (group === undefined || group === name)
        for (const parked of partitions.values()) {
          keys += parked.keys;
          messages += parked.size;
          bytes += parked.bytes;
        }
    return { keys, messages, bytes };
  }

  /** @throws ParkingFullError */
  private checkRoom(group: string, requests: readonly ParkRequest[]): void {
    const { maxParked, maxParkedBytes } = this.config;
    let messages = 0;
    let bytes = 0;
    for (const parked of this.groups.get(group)?.values() ?? []) {
      messages += parked.size;
      bytes += parked.bytes;
    }
    let more = 0;
    let moreBytes = 0;
    for (const { message } of requests) {
      const { topic, partition: number, body } = message;
      if (this.at(group, { topic, number })?.has(message)) continue;
      more += 1;
      moreBytes += body.length;
    }
    if (more > 0 && (messages + more > maxParked || bytes + moreBytes > maxParkedBytes))
      throw new ParkingFullError(group, messages);
  }

  private at(group: string, ref: Partition): ParkedPartition | undefined {
    return this.groups.get(group)?.get(nameOf(ref));
  }
}

const nameOf = ({ topic, number }: Partition): string => `${topic}/${number}`;
