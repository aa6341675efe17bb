import type { Channel, ChannelModel } from 'amqplib';
import type { ConsumeOptions, MessageHandler, RabbitmqConsumer } from './consume/consumer.port.js';
import type { OutgoingMessage, PublishOptions } from './publish/outgoing.js';
import type { Topology } from './topology/topology.js';

export interface QueueDepth {
  /** Ready to be delivered; what consumers have and did not settle is not counted. */
  readonly messages: number;
  readonly consumers: number;
}

/** A RabbitMQ: confirmed publishing, consumers and a topology that outlive connections. */
export abstract class RabbitmqClient {
  /** Whether the broker is there now. */
  abstract readonly isConnected: boolean;
  /** Why the broker takes no messages at present, an alarm of its memory or disk; `undefined` when it does. */
  abstract readonly blocked: string | undefined;

  /** Exchange of messages that name none; empty is the default exchange. */
  abstract readonly exchange: string;

  /** The name of a queue with the configured prefix, as others know it. */
  abstract queueName(name: string): string;

  /**
   * Resolves when the broker has accepted the message: written to disk, if it is persistent and in a durable queue, by a majority for quorum queues.
   * While the broker is away it waits up to its time, or rejects at once (`whileAway`). A message that was under way when the connection was lost is
   * sent again, and may so arrive twice.
   * @throws RabbitmqUnroutableError when no queue is bound for it; RabbitmqMissingError without the exchange; RabbitmqRefusedError when a queue is
   * full; RabbitmqTooLargeError; RabbitmqTimeoutError, RabbitmqUnavailableError: it may have been accepted all the same
   */
  abstract publish(message: OutgoingMessage, options?: PublishOptions): Promise<void>;

  /** {@link publish} to one queue, by its name without the prefix. */
  abstract send(
    queue: string,
    message: Omit<OutgoingMessage, 'exchange' | 'routingKey'>,
    options?: PublishOptions,
  ): Promise<void>;

  /**
   * Declares what is not there, and again after each reconnection. What is there as declared stays as it is.
   * @throws RabbitmqTopologyError when something is there and differs, with the argument that does; RabbitmqUnavailableError when the broker is not
   * reached within commandTimeoutMs: then it is declared when it is
   */
  abstract topology(topology: Topology): Promise<void>;

  /**
   * Takes messages from a queue, by its name without the prefix, until it is cancelled; over reconnections.
   * @throws RabbitmqMissingError, RabbitmqPermissionError; RabbitmqUnavailableError when the broker is not reached within commandTimeoutMs
   */
  abstract consume(queue: string, options: ConsumeOptions, onMessage: MessageHandler): Promise<RabbitmqConsumer>;

  /** How many messages wait in a queue, by its name without the prefix. @throws RabbitmqMissingError */
  abstract depth(queue: string): Promise<QueueDepth>;

  /** Runs `use` with a channel of amqplib's own, closed afterwards: for what has no method here. Names are without the prefix's help. */
  abstract withChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T>;

  /** Calls back when the broker is there again, and when it is lost. @returns a function that ends it */
  abstract onChange(listener: (isConnected: boolean) => void): () => void;
}

/** amqplib's connection itself, by injection: another one after each reconnection. */
export abstract class AmqpConnection {
  /** @throws RabbitmqUnavailableError while there is none */
  abstract readonly current: ChannelModel;
  /** Calls back with each new connection, before it counts as there. @returns a function that ends it */
  abstract onConnect(setUp: (connection: ChannelModel) => Promise<void>): () => void;
}
