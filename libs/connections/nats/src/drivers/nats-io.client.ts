import type { JetStreamClient, JetStreamManager, PubAck } from '@nats-io/jetstream';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { Consumer, type NatsConsumeOptions, type NatsConsumer, type NatsMessageHandler } from '../consume/consumer.js';
import { NatsTimeoutError } from '../errors.js';
import { diagnoseMissing, diagnoseReply } from '../link/diagnose.js';
import { isTimeout, type Link } from '../link/link.js';
import { NatsClient, type NatsLag, type NatsRequestOptions } from '../nats.client.js';
import type { NatsOutgoing, NatsPublishOptions } from '../publish/outgoing.js';
import { Publisher } from '../publish/publisher.js';
import { Topologies } from '../topology/topologies.js';
import type { NatsTopology, TopologyOptions } from '../topology/topology.js';

/** {@link NatsClient} on @nats-io. */
export class NatsIoClient extends NatsClient {
  private readonly topologies: Topologies;
  readonly publisher: Publisher;
  readonly consumers = new Set<Consumer>();

  constructor(private readonly link: Link) {
    super();
    this.topologies = new Topologies(link);
    this.publisher = new Publisher(link);
  }

  get isConnected(): boolean {
    return this.link.isUp;
  }

  get connection(): NatsConnection {
    return this.link.current;
  }

  get jetstream(): JetStreamClient {
    return this.link.jetstream;
  }

  jetstreamManager(): Promise<JetStreamManager> {
    return this.link.manager();
  }

  publish(message: NatsOutgoing, options?: NatsPublishOptions): Promise<PubAck> {
    const { operations } = this.link.at;
    if (!operations.hasSubscribers) return this.publisher.publish(message, options);
    // Subjects hold ids; their first word is what a system is divided by.
    const [resource = ''] = message.subject.split('.', 1);
    return this.traced('publish', resource, () => this.publisher.publish(message, options));
  }

  request(subject: string, data?: Uint8Array | string, options: NatsRequestOptions = {}): Promise<Msg> {
    const { timeoutMs = this.link.config.commandTimeoutMs, headers } = options;
    return this.traced('request', subject.split('.', 1)[0], async () => {
      this.link.assertUp();
      try {
        return await this.link.current.request(subject, data, { timeout: timeoutMs, ...(headers && { headers }) });
      } catch (error) {
        if (!this.link.isUp) throw this.link.unavailable(error);
        if (isTimeout(error)) throw new NatsTimeoutError(this.link.at.id, `answer a request on ${subject}`, timeoutMs);
        throw diagnoseReply(error, 'a request', subject);
      }
    });
  }

  topology(topology: NatsTopology, options: TopologyOptions = {}): Promise<void> {
    return this.traced('declare', undefined, () => this.topologies.add(topology, options));
  }

  consume(
    stream: string,
    name: string,
    options: NatsConsumeOptions,
    onMessage: NatsMessageHandler,
  ): Promise<NatsConsumer> {
    return this.traced('consume', stream, async () => {
      await this.link.whenUp(this.link.config.commandTimeoutMs);
      const consumer = new Consumer(
        this.link,
        stream,
        name,
        options,
        onMessage,
        ended => this.consumers.delete(ended),
        () => this.topologies.redeclared,
      );
      try {
        await consumer.resume();
      } catch (error) {
        await consumer.cancel();
        throw error;
      }
      this.consumers.add(consumer);
      return consumer;
    });
  }

  lag(stream: string, consumer: string): Promise<NatsLag> {
    return this.traced('lag', stream, async () => {
      const manager = await this.link.manager();
      const info = await this.link.ask(
        `count what waits for ${stream}/${consumer}`,
        () => manager.consumers.info(stream, consumer),
        error => diagnoseMissing(error, stream, consumer),
      );
      return { pending: info.num_pending, ackPending: info.num_ack_pending, redelivered: info.num_redelivered };
    });
  }

  onChange(listener: (isConnected: boolean) => void): () => void {
    return this.link.onChange(listener);
  }

  /** Lets handlers end, then what they published. */
  async drain(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.consumers].map(consumer => consumer.drain(signal)));
    await this.publisher.drained(signal);
  }

  private traced<T>(operation: string, resource: string | undefined, work: () => Promise<T>): Promise<T> {
    const { operations, id } = this.link.at;
    return operations.tracePromise(work, {
      component: 'nats',
      connection: id,
      operation,
      ...(resource !== undefined && { resource }),
    });
  }
}
