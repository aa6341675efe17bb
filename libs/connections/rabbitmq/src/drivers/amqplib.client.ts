import type { Channel } from 'amqplib';
import { Consumer } from '../consume/consumer.js';
import type { ConsumeOptions, MessageHandler, RabbitmqConsumer } from '../consume/consumer.port.js';
import { GatheredWrites } from '../link/gathered-writes.js';
import type { Link } from '../link/link.js';
import type { OutgoingMessage, PublishOptions } from '../publish/outgoing.js';
import { Publisher } from '../publish/publisher.js';
import { type AmqpConnection, type QueueDepth, RabbitmqClient } from '../rabbitmq.client.js';
import { Topologies } from '../topology/topologies.js';
import type { Topology } from '../topology/topology.js';

/** {@link RabbitmqClient} on amqplib. */
export class AmqplibClient extends RabbitmqClient {
  private readonly writes: GatheredWrites;
  private readonly topologies: Topologies;
  readonly publisher: Publisher;
  readonly consumers = new Set<Consumer>();
  readonly connection: AmqpConnection;

  constructor(private readonly link: Link) {
    super();
    this.writes = new GatheredWrites(link);
    // In this order: what is published and consumed needs the topology.
    this.topologies = new Topologies(link);
    this.publisher = new Publisher(link, this.writes);
    this.connection = {
      get current() {
        return link.current;
      },
      onConnect: setUp => link.join({ up: setUp }),
    };
  }

  get isConnected(): boolean {
    return this.link.isUp;
  }

  get blocked(): string | undefined {
    return this.link.blocked;
  }

  get exchange(): string {
    return this.link.config.exchange;
  }

  queueName(name: string): string {
    return this.link.config.queuePrefix + name;
  }

  publish(message: OutgoingMessage, options?: PublishOptions): Promise<void> {
    const { operations } = this.link.at;
    if (!operations.hasSubscribers) return this.publisher.publish(message, options);
    const resource = message.exchange ?? this.link.config.exchange;
    return this.traced('publish', resource || 'amq.default', () => this.publisher.publish(message, options));
  }

  send(
    queue: string,
    message: Omit<OutgoingMessage, 'exchange' | 'routingKey'>,
    options?: PublishOptions,
  ): Promise<void> {
    return this.publish({ ...message, exchange: '', routingKey: this.queueName(queue) }, options);
  }

  topology(topology: Topology): Promise<void> {
    return this.traced('declare', undefined, () => this.topologies.add(topology));
  }

  consume(queue: string, options: ConsumeOptions, onMessage: MessageHandler): Promise<RabbitmqConsumer> {
    const name = options.wholeName ? queue : this.queueName(queue);
    return this.traced('consume', name, async () => {
      await this.link.whenUp(this.link.config.commandTimeoutMs);
      const consumer = new Consumer(this.link, this.writes, name, options, onMessage, ended =>
        this.consumers.delete(ended),
      );
      this.consumers.add(consumer);
      await consumer.start();
      return consumer;
    });
  }

  depth(queue: string): Promise<QueueDepth> {
    const name = this.queueName(queue);
    return this.traced('depth', name, () =>
      this.link.withChannel(`count the messages of ${name}`, async channel => {
        const { messageCount, consumerCount } = await channel.checkQueue(name);
        return { messages: messageCount, consumers: consumerCount };
      }),
    );
  }

  withChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    return this.traced('channel', undefined, () => this.link.withChannel('answer on a channel', use));
  }

  onChange(listener: (isConnected: boolean) => void): () => void {
    return this.link.onChange(listener);
  }

  /** Lets handlers end, then what they published. */
  async drain(signal: AbortSignal): Promise<void> {
    await Promise.all(
      [...this.consumers].filter(({ endsItself }) => !endsItself).map(consumer => consumer.drain(signal)),
    );
    await this.publisher.drained(signal);
  }

  private traced<T>(operation: string, resource: string | undefined, work: () => Promise<T>): Promise<T> {
    const { operations, id } = this.link.at;
    return operations.tracePromise(work, {
      component: 'rabbitmq',
      connection: id,
      operation,
      ...(resource !== undefined && { resource }),
    });
  }
}
