import type { RabbitmqClient } from '@core-infra/rabbitmq';
import type { Partition } from '../../driver/message.js';
import { ParkingFullError } from '../../errors.js';
import { ParkedPartitions } from '../../stores/parked-partitions.js';
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
  private readonly partitions = new ParkedPartitions<ParkedPartition>();

  constructor(
    private readonly client: RabbitmqClient,
    private readonly sets: QueueSets,
    private readonly logger: { warn(message: string): void },
    private readonly maxParked: number,
  ) {}

  /** A member of this process has the partition to itself. */
  assigned(group: string, partition: Partition, queue: string): void {
    const { client, sets, logger, memory } = this;
    const site = { client, sets, logger, group, memory };
    const parked = new ParkedPartition(site, partition, parkedQueue(queue));
    this.partitions.add(group, partition.topic, partition.number, parked);
  }

  /** Awaited before anybody else may have it. */
  async revoked(group: string, partition: Partition): Promise<void> {
    await this.partitions.take(group, partition.topic, partition.number)?.close();
  }

  async keys(group: string, partitions: readonly Partition[], signal: AbortSignal): Promise<readonly ParkedKey[]> {
    const all = await Promise.all(
      partitions.map(async partition => {
        const { topic, number } = partition;
        const parked = this.partitions.at(group, topic, number);
        await parked?.load(signal);
        return [...(parked?.firsts() ?? [])].map(first => ({ topic, partition: number, ...first }));
      }),
    );
    return all.flat();
  }

  async park(group: string, requests: readonly ParkRequest[], signal: AbortSignal): Promise<void> {
    const at = ({ message }: ParkRequest): ParkedPartition | undefined =>
      this.partitions.at(group, message.topic, message.partition);
    const { messages } = this.partitions.size(group);
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
    return (await this.partitions.at(group, topic, partition)?.next(key, limit, signal)) ?? [];
  }

  async postpone(message: ParkedMessage, attempts: number, dueAt: number, signal: AbortSignal): Promise<void> {
    const { group, topic, partition, ticket } = message;
    await this.partitions.at(group, topic, partition)?.postpone(ticket, attempts, dueAt, signal);
  }

  // eslint-disable-next-line typescript/require-await -- as the port has it
  async remove(messages: readonly ParkedMessage[]): Promise<void> {
    for (const { group, topic, partition, ticket } of messages)
      this.partitions.at(group, topic, partition)?.remove([ticket]);
  }

  /** Of the partitions that this process has. */
  // eslint-disable-next-line typescript/require-await -- as the port has it
  async size(group: string | undefined): Promise<{ readonly keys: number; readonly messages: number }> {
    return this.partitions.size(group);
  }
}
