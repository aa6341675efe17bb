import { setMaxListeners } from 'node:events';
import type { CheckResult, DriverSite } from '@core-infra/kernel';
import { type NatsClient, NatsNoStreamError, NatsUnavailableError } from '@core-infra/nats';
import type { NatsMessagingConfig } from '../../config/nats-messaging.config.js';
import type {
  ConsumeRequest,
  Consumption,
  DeliverySink,
  DriverFeatures,
  GroupMessage,
  MessageDriver,
} from '../../driver/message-driver.js';
import type { OutgoingMessage } from '../../driver/message.js';
import { Membership } from './membership.js';
import { partitionOf } from './names.js';
import { NatsDeadLetters } from './nats.dead-letters.js';
import { NatsParkingLot } from './nats.parking-lot.js';
import { type Said, Streams } from './streams.js';
import { toNats } from './wire.js';

/** Of the largest message, left for what headers become on the wire, in bytes. */
const HEADROOM = 4_096;
/** How long leaving may take beyond its time, in milliseconds. */
const LAST_MS = 500;

/** Carries messages over JetStream: a topic is subjects of a stream, a group has a durable consumer of each of its partitions. */
export class NatsDriver implements MessageDriver {
  readonly name = 'nats';
  readonly deadLetters: NatsDeadLetters;
  readonly parking: NatsParkingLot;
  private readonly streams: Streams;
  private readonly memberships = new Set<Membership>();
  private turn = 0;

  constructor(
    private readonly client: NatsClient,
    private readonly site: DriverSite,
    private readonly config: NatsMessagingConfig,
    said: Said = {},
  ) {
    this.streams = new Streams(client, site, config, said);
    this.deadLetters = new NatsDeadLetters(client, this.streams);
    this.parking = new NatsParkingLot(client, this.streams, config);
  }

  get features(): DriverFeatures {
    const { retention, startAt } = this.config;
    const { info } = this.client.isConnected ? this.client.connection : {};
    return {
      ordered: true,
      schedule: false,
      reach: 'network',
      durable: true,
      retention: retention === 'limits' && startAt === 'all' ? 'log' : 'subscribers',
      ...(info && { maxBytes: info.max_payload - HEADROOM }),
    };
  }

  /** Resolves when the streams are there. */
  connect(): Promise<void> {
    return this.streams.connect();
  }

  /** @throws NatsMissingError when a stream is gone */
  async check(): Promise<CheckResult> {
    const messages = await this.streams.check();
    const parked = await this.parking.size();
    return {
      server: this.client.connection.info?.version,
      streams: messages,
      deadLetters: messages[this.streams.names.deadStream],
      parked,
    };
  }

  /** What is given back in the moment after the time is better than others waiting for it. */
  async close(): Promise<void> {
    const gone = Promise.all([...this.memberships].map(async membership => membership.gone));
    await Promise.race([gone, new Promise(resolve => setTimeout(resolve, LAST_MS).unref())]);
  }

  publish(messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<readonly (Error | undefined)[]> {
    // Each message of the call listens to it.
    setMaxListeners(0, signal);
    // One message of a key at a time: what the server does not take must not be overtaken. Different keys are under way together.
    const byKey = new Map<string, Promise<Error | undefined>>();
    return Promise.all(
      messages.map(message => {
        const { key } = message;
        if (key === undefined) return this.send(message, signal);
        const before = byKey.get(key);
        const sent = before ? before.then(error => error ?? this.send(message, signal)) : this.send(message, signal);
        byKey.set(key, sent);
        return sent;
      }),
    );
  }

  async sendToGroup(group: string, messages: readonly GroupMessage[], signal: AbortSignal): Promise<void> {
    setMaxListeners(0, signal);
    await this.ready(() => this.streams.ensure(), signal);
    await Promise.all(
      messages.map(async message => {
        const { topic, attempts, firstAttemptAt, notBefore } = message;
        const { headers, data, msgId } = toNats(message, {
          attempts: String(attempts),
          'first-attempt-at': String(firstAttemptAt),
          ...(notBefore !== undefined && { 'not-before': String(Math.round(notBefore)) }),
        });
        const subject = this.streams.names.again(group, topic);
        // The same message comes here after each attempt.
        await this.client.publish(
          { subject, headers, data, msgId: `${msgId} ${group} ${attempts} ${Date.now()}` },
          { signal },
        );
      }),
    );
  }

  async consume(request: ConsumeRequest, sink: DeliverySink): Promise<Consumption> {
    const membership = new Membership(this.client, this.streams, this.parking, request, sink, this.site);
    this.memberships.add(membership);
    await membership.tend();
    return membership;
  }

  private async send(message: OutgoingMessage, signal: AbortSignal): Promise<Error | undefined> {
    const { topic } = message;
    try {
      if (!this.streams.isReady(topic)) await this.ready(() => this.streams.ensureTopic(topic), signal);
      try {
        await this.put(message, signal);
      } catch (error) {
        if (!(error instanceof NatsNoStreamError)) throw error;
        // Somebody has deleted it.
        this.streams.forget();
        await this.streams.ensureTopic(topic);
        await this.put(message, signal);
      }
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  private put(message: OutgoingMessage, signal: AbortSignal): Promise<unknown> {
    const { topic, key, kind } = message;
    const { names } = this.streams;
    const partitions = this.streams.partitionsOf(topic);
    const partition = key === undefined ? (this.turn = (this.turn + 1) % partitions) : partitionOf(key, partitions);
    const { subject, stream } = names.target(topic, partition, kind === 'task');
    const expect = stream === undefined ? {} : { expect: { streamName: stream } };
    return this.client.publish({ subject, ...toNats(message), ...expect }, { signal });
  }

  /** While the server is away, what is to be published waits for it. */
  private async ready(ensure: () => Promise<void>, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await ensure();
      } catch (error) {
        if (!(error instanceof NatsUnavailableError)) throw error;
      }
      await this.connected(signal);
    }
  }

  private async connected(signal: AbortSignal): Promise<void> {
    if (this.client.isConnected) return;
    let leave = (): void => undefined;
    const abort = (): void => leave();
    await new Promise<void>(resolve => {
      const unwatch = this.client.onChange(isUp => {
        if (isUp) resolve();
      });
      leave = () => {
        unwatch();
        resolve();
      };
      signal.addEventListener('abort', abort, { once: true });
    });
    signal.removeEventListener('abort', abort);
    leave();
  }
}
