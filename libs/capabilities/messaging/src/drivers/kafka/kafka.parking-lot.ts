import type { KafkaClient, KafkaPartition } from '@core-infra/kafka';
import type { Logger } from '@nestjs/common';
import type { KafkaMessagingConfig } from '../../config/kafka-messaging.config.js';
import type { Partition } from '../../driver/message.js';
import { ParkingFullError } from '../../errors.js';
import { ParkedPartitions } from '../../stores/parked-partitions.js';
import type { ParkedKey, ParkedMessage, ParkingLot, ParkRequest } from '../../stores/parking.js';
import type { KafkaNames } from './names.js';
import { MemoryBudget } from './parking/memory-budget.js';
import { ParkedPartition } from './parking/parked-partition.js';
import { FIRST_RETRY_PARTITION } from './records.js';
import type { KafkaTopics } from './topics.js';

/** Bytes of parked messages that are kept in memory as well. */
const IN_MEMORY = 32 * 1024 * 1024;
/** Nothing is deleted for its age; by whoever has the partition, once it is of no use. */
const settings = {
  'cleanup.policy': 'compact,delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'min.compaction.lag.ms': '3600000',
};

export interface LotSite {
  readonly client: KafkaClient;
  readonly names: KafkaNames;
  readonly topics: KafkaTopics;
  readonly logger: Logger;
}

/** Parked messages in a topic beside theirs, with the same partitions; docs/decisions/parking-on-kafka.md says how. */
export class KafkaParkingLot implements ParkingLot {
  private readonly memory = new MemoryBudget(IN_MEMORY);
  private readonly partitions = new ParkedPartitions<ParkedPartition>();

  constructor(
    private readonly site: LotSite,
    private readonly config: KafkaMessagingConfig,
  ) {}

  /** A member of this process has these partitions. */
  assigned(group: string, partitions: readonly KafkaPartition[]): void {
    const { client, names, logger } = this.site;
    for (const partition of partitions) {
      const topic = names.parked(partition.topic, group);
      this.partitions.at(group, partition.topic, partition.partition)?.close();
      const parked = new ParkedPartition({ client, topic, group, memory: this.memory, logger }, partition);
      this.partitions.add(group, partition.topic, partition.partition, parked);
    }
  }

  /** It has them no more: nothing of them is written from now on. */
  revoked(group: string, partitions: readonly KafkaPartition[]): void {
    for (const { topic, partition } of partitions) this.partitions.take(group, topic, partition)?.close();
  }

  async keys(group: string, partitions: readonly Partition[], signal: AbortSignal): Promise<readonly ParkedKey[]> {
    const served = partitions.flatMap(({ topic, number }) => {
      const parked = number < FIRST_RETRY_PARTITION ? this.partitions.at(group, topic, number) : undefined;
      return parked ? [{ topic, number, parked }] : [];
    });
    for (const topic of new Set(served.map(each => each.topic)))
      await this.site.topics.ensureBeside(topic, [this.site.names.parked(topic, group)], settings);
    await Promise.all(served.map(({ parked }) => parked.load(signal)));
    return served.flatMap(({ topic, number, parked }) =>
      [...parked.firsts()].map(first => ({ topic, partition: number, ...first })),
    );
  }

  async park(group: string, requests: readonly ParkRequest[], signal: AbortSignal): Promise<void> {
    this.checkRoom(group, requests);
    const byPartition = Map.groupBy(requests, ({ message }) =>
      this.partitions.at(group, message.topic, message.partition),
    );
    await Promise.all(
      [...byPartition].map(async ([parked, own]) =>
        parked?.park(
          own.map(({ message, attempts, dueAt, reason }) => {
            const { id, key, headers, position, time, firstAttemptAt, body } = message;
            const first = firstAttemptAt === undefined ? {} : { firstAttemptAt };
            return { meta: { id, key, headers, position, time, attempts, dueAt, reason, ...first }, body };
          }),
          signal,
        ),
      ),
    );
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
    const { group, topic, partition, ticket, firstAttemptAt } = message;
    await this.partitions.at(group, topic, partition)?.postpone(ticket, { attempts, dueAt, firstAttemptAt }, signal);
  }

  async remove(messages: readonly ParkedMessage[], signal: AbortSignal): Promise<void> {
    const byPartition = Map.groupBy(messages, ({ group, topic, partition }) =>
      this.partitions.at(group, topic, partition),
    );
    await Promise.all(
      [...byPartition].map(async ([parked, own]) =>
        parked?.remove(
          own.map(({ ticket }) => ticket),
          signal,
        ),
      ),
    );
  }

  /** Of the partitions that this process has. */
  // eslint-disable-next-line typescript/require-await -- as the port has it
  async size(group: string | undefined): Promise<{ readonly keys: number; readonly messages: number }> {
    return this.partitions.size(group);
  }

  /** @throws ParkingFullError */
  private checkRoom(group: string, requests: readonly ParkRequest[]): void {
    const { messages } = this.partitions.size(group);
    const fresh = requests.filter(
      ({ message }) => !this.partitions.at(group, message.topic, message.partition)?.has(message.position),
    );
    if (fresh.length > 0 && messages + fresh.length > this.config.maxParked)
      throw new ParkingFullError(group, messages);
  }
}
