import { type KafkaClient, KafkaOversizeError } from '@core-infra/kafka';
import type { DriverSite } from '@core-infra/kernel';
import type { MessagingConfig } from '../../config/messaging.config.js';
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
import { KafkaConsumption } from './kafka.consumption.js';
import { KafkaDeadLetters } from './kafka.dead-letters.js';
import { KafkaParkingLot } from './kafka.parking-lot.js';
import { KafkaNames } from './names.js';
import { recordOf, retryRecordOf } from './records.js';
import { KafkaTopics } from './topics.js';

/** Messages as records of Kafka, and groups as its consumer groups. */
export class KafkaDriver implements MessageDriver {
  readonly name = 'kafka';
  readonly features: DriverFeatures = {
    ordered: true,
    schedule: false,
    reach: 'network',
    durable: true,
    retention: 'log',
  };
  readonly parking: KafkaParkingLot;
  readonly deadLetters: KafkaDeadLetters;
  private readonly names: KafkaNames;
  private readonly topics: KafkaTopics;
  private readonly consumptions = new Set<KafkaConsumption>();

  constructor(
    private readonly client: KafkaClient,
    private readonly config: MessagingConfig,
    private readonly at: DriverSite,
  ) {
    const { kafka } = config;
    const creates = kafka.createTopics ?? at.app.environment !== 'production';
    this.names = new KafkaNames(kafka);
    this.topics = new KafkaTopics(client, kafka, creates, at.logger);
    this.parking = new KafkaParkingLot({ client, names: this.names, topics: this.topics, logger: at.logger }, kafka);
    this.deadLetters = new KafkaDeadLetters(client, this.names, this.topics);
  }

  async publish(messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<readonly (Error | undefined)[]> {
    const topics = messages.length === 1 ? [messages[0]!.topic] : [...new Set(messages.map(({ topic }) => topic))];
    const refused = await this.topics.ensureWritable(topics);
    const sent = refused ? messages.filter(({ topic }) => !refused.has(topic)) : messages;
    const results = await this.client.producer.sendBatch(sent.map(recordOf), { signal, keepKeyOrder: true });
    const errors = results.map((result, at) =>
      result.status === 'rejected' ? refusalOf(sent[at]!, result.reason as Error) : undefined,
    );
    if (!refused) return errors;
    let next = 0;
    return messages.map(({ topic }) => refused.get(topic) ?? errors[next++]);
  }

  async sendToGroup(group: string, messages: readonly GroupMessage[], signal: AbortSignal): Promise<void> {
    for (const topic of new Set(messages.map(message => message.topic)))
      await this.topics.ensureBeside(topic, [this.names.retry(topic, group)]);
    const records = messages.map(message => retryRecordOf(message, this.names.retry(message.topic, group)));
    const results = await this.client.producer.sendBatch(records, { signal });
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  // eslint-disable-next-line typescript/require-await -- as the port has it
  async consume(request: ConsumeRequest, sink: DeliverySink): Promise<Consumption> {
    const { client, names, topics, parking: lot, at, config, consumptions } = this;
    const site = { client, config: config.kafka, names, topics, lot, at };
    const consumption = new KafkaConsumption(site, request, sink, () => consumptions.delete(consumption));
    consumptions.add(consumption);
    consumption.start();
    return consumption;
  }

  /** @throws the trouble of a group that receives nothing */
  check(): Readonly<Record<string, unknown>> {
    for (const { trouble } of this.consumptions) if (trouble) throw trouble;
    return { members: this.consumptions.size };
  }
}

/** Why an event is not published, by its type where the record says only what it is too large for. */
function refusalOf({ headers, topic }: OutgoingMessage, error: Error): Error {
  if (!(error instanceof KafkaOversizeError)) return error;
  return new EventTooLargeError(headers['ce_type'] ?? topic, error.bytes, error.limit, { cause: error });
}
