import type { DriverSite } from '@core-infra/kernel';
import {
  type OutgoingMessage as AmqpMessage,
  type PublishOptions,
  type RabbitmqClient,
  RabbitmqTooLargeError,
  RabbitmqUnroutableError,
} from '@core-infra/rabbitmq';
import type { RabbitmqMessagingConfig } from '../../config/rabbitmq-messaging.config.js';
import type { DeclaredGroup, TopicAddress } from '../../config/topic.config.js';
import type {
  ConsumeRequest,
  Consumption,
  DeliverySink,
  DriverFeatures,
  GroupMessage,
  MessageDriver,
} from '../../driver/message-driver.js';
import type { OutgoingMessage } from '../../driver/message.js';
import { EventTooLargeError } from '../../errors.js';
import { Membership } from './membership.js';
import { againQueue, SLOTS, slotOf } from './names.js';
import { QueueSets } from './queue-sets.js';
import { RabbitmqDeadLetters } from './rabbitmq.dead-letters.js';
import { RabbitmqParkingLot } from './rabbitmq.parking-lot.js';
import { toAmqp, toAmqpWhole } from './wire.js';

/** Carries messages over RabbitMQ: a topic is a routing key of one exchange, a group has quorum queues of each of its topics. */
export class RabbitmqDriver implements MessageDriver {
  readonly name = 'rabbitmq';
  readonly features: DriverFeatures = {
    ordered: true,
    schedule: false,
    reach: 'network',
    durable: true,
    retention: 'subscribers',
  };
  readonly deadLetters: RabbitmqDeadLetters;
  readonly parking: RabbitmqParkingLot;
  private readonly mandatory: boolean;
  private readonly sets: QueueSets;
  private turn = 0;

  constructor(
    private readonly client: RabbitmqClient,
    site: DriverSite,
    config: RabbitmqMessagingConfig,
    /** Groups that are to get what is published though no member of them has run. */
    private readonly declared: readonly DeclaredGroup[] = [],
    /** What stands for topics though nobody here has made it. */
    addresses: ReadonlyMap<string, TopicAddress> = new Map(),
  ) {
    const exchange = config.exchange ?? (client.exchange || 'events');
    this.mandatory = config.unroutable === 'error';
    this.sets = new QueueSets(client, site, exchange, config, addresses);
    this.deadLetters = new RabbitmqDeadLetters(client, this.sets);
    this.parking = new RabbitmqParkingLot(client, this.sets, site.logger, config.maxParked);
  }

  /** Resolves when the exchanges are there, and the queues of the groups that are declared. */
  async connect(): Promise<void> {
    await this.sets.exchanges();
    for (const { group, topic } of this.declared) await this.sets.ensure(group, topic, false);
  }

  /** Gives dead letters back that were looked at. */
  close(): Promise<void> {
    return this.deadLetters.close();
  }

  publish(messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<readonly (Error | undefined)[]> {
    // One message of a key at a time: what the broker does not take must not be overtaken. Different keys are under way together.
    const byKey = new Map<string, Promise<Error | undefined>>();
    const options = { signal };
    return Promise.all(
      messages.map(message => {
        const { key } = message;
        if (key === undefined) return this.send(message, options);
        const before = byKey.get(key);
        const sent = before ? before.then(error => error ?? this.send(message, options)) : this.send(message, options);
        byKey.set(key, sent);
        return sent;
      }),
    );
  }

  isUnheard(error: Error): boolean {
    return error instanceof RabbitmqUnroutableError;
  }

  async sendToGroup(group: string, messages: readonly GroupMessage[], signal: AbortSignal): Promise<void> {
    await Promise.all(
      messages.map(async message => {
        const { topic, attempts, firstAttemptAt, notBefore } = message;
        await this.sets.ensureAgain(group, topic);
        const extra = {
          attempts: String(attempts),
          'first-attempt-at': String(firstAttemptAt),
          ...(notBefore !== undefined && { 'not-before': String(Math.round(notBefore)) }),
        };
        await this.client.send(againQueue(group, topic), toAmqpWhole(message, extra), { signal });
      }),
    );
  }

  async consume(request: ConsumeRequest, sink: DeliverySink): Promise<Consumption> {
    const membership = new Membership(this.client, this.sets, this.parking, request, sink);
    await membership.tend();
    return membership;
  }

  private async send(message: OutgoingMessage, options: PublishOptions): Promise<Error | undefined> {
    const { topic, kind, headers } = message;
    const isTask = kind === 'task';
    try {
      if (isTask) await this.sets.ensure(topic, topic, true);
      await this.client.publish(this.amqpOf(message, isTask), options);
      return undefined;
    } catch (error) {
      // Somebody has deleted its queues: the next one makes them again.
      if (isTask && error instanceof RabbitmqUnroutableError) this.sets.forget();
      if (error instanceof RabbitmqTooLargeError)
        return new EventTooLargeError(headers.ce_type ?? topic, error.bytes, error.limit, { cause: error });
      return error as Error;
    }
  }

  private amqpOf(message: OutgoingMessage, isTask: boolean): AmqpMessage {
    const { topic, key } = message;
    const slot = (): number => (key === undefined ? (this.turn = (this.turn + 1) % SLOTS) : slotOf(key));
    const { exchange, routingKey } = this.sets.target(topic, isTask, slot);
    return { ...toAmqp(message), exchange, routingKey, mandatory: isTask || this.mandatory };
  }
}
