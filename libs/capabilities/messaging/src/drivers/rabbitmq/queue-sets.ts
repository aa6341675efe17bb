import type { DriverSite } from '@core-infra/kernel';
import {
  type ExchangeDeclaration,
  type QueueDeclaration,
  type RabbitmqClient,
  RabbitmqMissingError,
  RabbitmqUnavailableError,
  type Topology,
} from '@core-infra/rabbitmq';
import type { RabbitmqMessagingConfig } from '../../config/rabbitmq-messaging.config.js';
import type { TopicAddress } from '../../config/topic.config.js';
import { againQueue, NO_DELIVERY_LIMIT, partitionQueue, routingKey, slotsOf, tasksExchange } from './names.js';

/** A part of a topic's messages for a group, or of its tasks. */
export interface PartitionQueue {
  /** Of ours, without the prefix: what belongs to the partition is named after it. */
  readonly name: string;
  /** The queue that its messages come from, by its whole name. */
  readonly source: string;
  /** It was there before, and others may consume it, too. */
  readonly isForeign: boolean;
}

/** Exchanges and queues of topics and groups, made when they are needed first. */
export class QueueSets {
  private readonly counts = new Map<string, Promise<number>>();
  private readonly declared = new Map<string, Promise<void>>();

  constructor(
    private readonly client: RabbitmqClient,
    private readonly site: DriverSite,
    private readonly exchange: string,
    private readonly config: Pick<RabbitmqMessagingConfig, 'exchangeType' | 'partitions'>,
    private readonly addresses: ReadonlyMap<string, TopicAddress> = new Map(),
  ) {}

  /** Makes the exchanges. */
  exchanges(): Promise<void> {
    return this.once('exchanges', { exchanges: this.exchangesOf() });
  }

  /** Makes the queues of a group, or of a topic's tasks, and binds them; what is there by configuration is taken as it is. */
  async ensure(group: string, topic: string, isTasks: boolean): Promise<readonly PartitionQueue[]> {
    const first = partitionQueue(group, topic, 0, isTasks);
    const { queue } = this.addresses.get(topic) ?? {};
    if (queue !== undefined) return [{ name: first, source: queue, isForeign: true }];
    const count = await remembered(this.counts, first, () => this.make(group, topic, isTasks));
    return Array.from({ length: count }, (_, number) => {
      const name = partitionQueue(group, topic, number, isTasks);
      return { name, source: this.client.queueName(name), isForeign: false };
    });
  }

  /** Where a message of a topic goes: to what is there by configuration, or to the topic's own exchange and slot. */
  target(
    topic: string,
    isTask: boolean,
    slot: () => number,
  ): { readonly exchange: string; readonly routingKey: string } {
    const { exchange, routingKey: key, queue } = this.addresses.get(topic) ?? {};
    if (exchange !== undefined) return { exchange, routingKey: key ?? topic };
    if (queue !== undefined) return { exchange: '', routingKey: queue };
    return { exchange: isTask ? tasksExchange(this.exchange) : this.exchange, routingKey: routingKey(topic, slot()) };
  }

  ensureAgain(group: string, topic: string): Promise<void> {
    const name = againQueue(group, topic);
    return this.once(name, { queues: [lasting(name)] });
  }

  queue(name: string): Promise<void> {
    return this.once(name, { queues: [lasting(name)] });
  }

  /** Something of it was found to be missing: it is made again when it is needed next. */
  forget(): void {
    this.counts.clear();
    this.declared.clear();
  }

  private async make(group: string, topic: string, isTasks: boolean): Promise<number> {
    const name = (partition: number): string => partitionQueue(group, topic, partition, isTasks);
    const { exchange, routingKey: key = topic } = this.addresses.get(topic) ?? {};
    if (exchange !== undefined) {
      // Its messages tell no slot: one queue has them all, in their order.
      const queue = name(0);
      await this.once(queue, {
        queues: [{ ...lasting(queue), singleActiveConsumer: true }],
        bindings: [{ exchange, queue, routingKey: key }],
      });
      return 1;
    }
    const existing = await this.count(name);
    const { partitions } = this.config;
    const count = existing || partitions;
    if (count !== partitions)
      this.site.logger.warn(
        `The group "${group}" has ${count} partitions of the topic "${topic}" and keeps them; messaging.rabbitmq.partitions (${partitions}) is for new ones`,
      );
    const from = isTasks ? tasksExchange(this.exchange) : this.exchange;
    const numbers = Array.from({ length: count }, (_, number) => number);
    // All queues are there before the first is bound: what counts them never finds some of them in use.
    await this.once(name(0), {
      exchanges: this.exchangesOf(),
      queues: numbers.map(number => ({ ...lasting(name(number)), singleActiveConsumer: true })),
      bindings: numbers.flatMap(number => [
        // Other systems publish with the topic alone.
        ...(number === 0 ? [{ exchange: from, queue: name(0), routingKey: topic }] : []),
        ...slotsOf(number, count).map(slot => ({
          exchange: from,
          queue: name(number),
          routingKey: routingKey(topic, slot),
        })),
      ]),
    });
    return count;
  }

  /** How many queues of a set there are. */
  private async count(name: (partition: number) => string): Promise<number> {
    let found = 0;
    try {
      await this.client.withChannel(async channel => {
        for (; found < 1_000; found += 1) await channel.checkQueue(this.client.queueName(name(found)));
      });
    } catch (error) {
      if (!(error instanceof RabbitmqMissingError)) throw error;
    }
    return found;
  }

  private exchangesOf(): ExchangeDeclaration[] {
    const { exchangeType: type } = this.config;
    return [this.exchange, tasksExchange(this.exchange)].map(name => ({ name, type }));
  }

  private once(name: string, topology: Topology): Promise<void> {
    return remembered(this.declared, name, async () => {
      try {
        await this.client.topology(topology);
      } catch (error) {
        // The connection keeps it in mind, and declares it before it is used.
        if (error instanceof RabbitmqUnavailableError) return;
        throw error;
      }
    });
  }
}

/** Keeps messages until somebody settles them, whatever happens to brokers and consumers. */
function lasting(name: string): QueueDeclaration {
  return { name, type: 'quorum', deliveryLimit: NO_DELIVERY_LIMIT };
}

/** The promise of the first call for all of them, until it fails. */
function remembered<T>(cache: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  let made = cache.get(name);
  if (!made) {
    made = make();
    cache.set(name, made);
    made.catch(() => cache.delete(name));
  }
  return made;
}
