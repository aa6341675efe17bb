import type { JetStreamClient, JetStreamManager, PubAck } from '@nats-io/jetstream';
import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import type { NatsConsumeOptions, NatsConsumer, NatsMessageHandler } from './consume/consumer.js';
import type { NatsOutgoing, NatsPublishOptions } from './publish/outgoing.js';
import type { NatsTopology, TopologyOptions } from './topology/topology.js';

export interface NatsLag {
  /** Not delivered yet. */
  readonly pending: number;
  /** Delivered, and not acknowledged. */
  readonly ackPending: number;
  /** Of those, delivered more than once. */
  readonly redelivered: number;
}

export interface NatsRequestOptions {
  /** How long to wait for the answer, in milliseconds. @default the connection's commandTimeoutMs */
  readonly timeoutMs?: number;
  readonly headers?: MsgHdrs;
}

/** A NATS: streams, durable consumers and acknowledged publishing that outlive connections; core NATS besides. */
export abstract class NatsClient {
  /** Whether the server is there now. */
  abstract readonly isConnected: boolean;
  /** The client library's own, for core NATS: `publish`, `subscribe`, … The same over reconnections. @throws NatsUnavailableError before the first */
  abstract readonly connection: NatsConnection;
  /** The client library's own. @throws NatsUnavailableError before the first connection */
  abstract readonly jetstream: JetStreamClient;

  /** The client library's own. @throws NatsUnavailableError while the server is away */
  abstract jetstreamManager(): Promise<JetStreamManager>;

  /**
   * Resolves when a stream has the message, by a majority of its replicas. What is not answered is asked again with the same id, which the stream
   * knows within its duplicate window, so that there is no second message. While the server is away it waits up to its time, or rejects at once
   * (`whileAway`).
   * @throws NatsNoStreamError when no stream keeps the subject; NatsOversizeError; NatsPermissionError; NatsRefusedError when the stream is full;
   * NatsTimeoutError, NatsUnavailableError: it may have been accepted all the same
   */
  abstract publish(message: NatsOutgoing, options?: NatsPublishOptions): Promise<PubAck>;

  /** Core NATS: asks whoever listens on the subject. @throws NatsNoRespondersError when nobody does; NatsTimeoutError, NatsUnavailableError */
  abstract request(subject: string, data?: Uint8Array | string, options?: NatsRequestOptions): Promise<Msg>;

  /**
   * Declares what is not there, and again after each reconnection. What is there is compared with what is declared.
   * @throws NatsTopologyError with each difference; NatsUnavailableError when the server is not reached within commandTimeoutMs: then it is declared
   * when it is
   */
  abstract topology(topology: NatsTopology, options?: TopologyOptions): Promise<void>;

  /** Takes messages of a durable consumer until it is cancelled; over reconnections. @throws NatsMissingError, NatsUnavailableError */
  abstract consume(
    stream: string,
    consumer: string,
    options: NatsConsumeOptions,
    onMessage: NatsMessageHandler,
  ): Promise<NatsConsumer>;

  /** How far a durable consumer is behind. @throws NatsMissingError */
  abstract lag(stream: string, consumer: string): Promise<NatsLag>;

  /** Calls back when the server is there again, and when it is lost. @returns a function that ends it */
  abstract onChange(listener: (isConnected: boolean) => void): () => void;
}
