import type { RabbitmqClient } from '@core-infra/rabbitmq';
import type { Partition } from '../../driver/message.js';
import { ParkingFullError } from '../../errors.js';
import type { ParkedKey, ParkedMessage, ParkingLot, ParkRequest } from '../../stores/parking.js';
import { parkedQueue } from './names.js';
import { Memory } from './parked-entry.js';
import { ParkedPartition } from './parked-partition.js';
import type { QueueSets } from './queue-sets.js';

/** Bytes of parked messages that are kept in memory as well. */
const IN_MEMORY = 32 * 1024 * 1024;

/** Parked messages in a queue beside that of their partition, which whoever has the partition has to itself. */
export class RabbitmqParkingLot implements ParkingLot {
  private readonly memory = new Memory(IN_MEMORY);
  /** Partitions that members of this process have, by group. */
  private readonly groups = new Map<string, Map<string, ParkedPartition>>();

  constructor(
    private readonly client: RabbitmqClient,
    private readonly sets: QueueSets,
    private readonly logger: { warn(message: string): void },
    private readonly maxParked: number,
  ) {}

  /** A member of this process has the partition to itself. */
  assigned(group: string, partition: Partition, queue: string): void {
    let own = this.groups.get(group);
    if (!own) this.groups.set(group, (own = new Map()));
    const { client, sets, logger, memory } = this;
    const site = { client, sets, logger, group, memory };
    own.set(nameOf(partition), new ParkedPartition(site, partition, parkedQueue(queue)));
  }

  /** Awaited before anybody else may have it. */
  async revoked(group: string, partition: Partition): Promise<void> {
    const own = this.groups.get(group);
    const parked = own?.get(nameOf(partition));
    own?.delete(nameOf(partition));
    await parked?.close();
  }

  async keys(group: string, partitions: readonly Partition[], signal: AbortSignal): Promise<readonly ParkedKey[]> {
    const all = await Promise.all(
      partitions.map(async partition => {
        const parked = this.at(group, partition);
        await parked?.load(signal);
        const { topic, number } = partition;
        return [...(parked?.firsts() ?? [])].map(first => ({ topic, partition: number, ...first }));
      }),
    );
    return all.flat();
  }

  async park(group: string, requests: readonly ParkRequest[], signal: AbortSignal): Promise<void> {
    const at = ({ message }: ParkRequest): ParkedPartition | undefined =>
      this.at(group, { topic: message.topic, number: message.partition });
    const { messages } = this.sizeOf(group);
    const fresh = requests.filter(request => !at(request)?.has(request.message)).length;
    if (fresh > 0 && messages + fresh > this.maxParked) throw new ParkingFullError(group, messages);
    await Promise.all([...Map.groupBy(requests, at)].map(async ([parked, own]) => parked?.park(own, signal)));
  }

  async next(
    group: string,
    { topic, partition, key }: Omit<ParkedKey, 'dueAt' | 'messages'>,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly ParkedMessage[]> {
    return (await this.at(group, { topic, number: partition })?.next(key, limit, signal)) ?? [];
  }

  async postpone(message: ParkedMessage, attempts: number, dueAt: number, signal: AbortSignal): Promise<void> {
    const { group, topic, partition, ticket } = message;
    await this.at(group, { topic, number: partition })?.postpone(ticket, attempts, dueAt, signal);
  }

  // eslint-disable-next-line typescript/require-await -- as the port has it
  async remove(messages: readonly ParkedMessage[]): Promise<void> {
    for (const { group, topic, partition, ticket } of messages)
      this.at(group, { topic, number: partition })?.remove([ticket]);
  }

  /** Of the partitions that this process has. */
  // eslint-disable-next-line typescript/require-await -- as the port has it
  async size(group: string | undefined): Promise<{ readonly keys: number; readonly messages: number }> {
    return this.sizeOf(group);
  }

  private sizeOf(group: string | undefined): { readonly keys: number; readonly messages: number } {
    let keys = 0;
    let messages = 0;
    for (const [name, partitions] of this.groups)
      if (group === undefined || group === name)
        for (const parked of partitions.values()) {
          keys += parked.keys;
          messages += parked.size;
        }
    return { keys, messages };
  }

  private at(group: string, partition: Partition): ParkedPartition | undefined {
    return this.groups.get(group)?.get(nameOf(partition));
  }
}

const nameOf = ({ topic, number }: Partition): string => `${topic}/${number}`;
