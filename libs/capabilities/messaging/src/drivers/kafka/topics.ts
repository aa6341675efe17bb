import { type KafkaClient, type KafkaTopic, KafkaUnauthorizedError, KafkaUnknownTopicError } from '@core-infra/kafka';
import { InfraError } from '@core-infra/kernel';
import type { Logger } from '@nestjs/common';
import type { KafkaMessagingConfig } from '../../config/kafka-messaging.config.js';
import { KafkaTopicsMissingError } from '../../errors.js';

/** Topics that were there once are not asked for again for so long, in milliseconds. */
const FRESH_MS = 60_000;

/** Sees to it that topics are there: makes them, or says which are missing. */
export class KafkaTopics {
  private readonly known = new Map<string, number>();
  private readonly asked = new Map<string, Promise<void>>();

  constructor(
    private readonly client: KafkaClient,
    private readonly config: KafkaMessagingConfig,
    private readonly creates: boolean,
    private readonly logger: Logger,
  ) {}

  /** Topics of events and tasks. @throws KafkaTopicsMissingError */
  async ensure(topics: readonly string[]): Promise<void> {
    const { partitions } = this.config;
    await this.ensureAll(topics.map(topic => ({ topic, ...(partitions !== undefined && { partitions }) })));
  }

  /**
   * Topics of events and tasks that are about to be written to.
   * @returns those that cannot be written to, each with the reason, if there are any
   */
  ensureWritable(topics: readonly string[]): Promise<ReadonlyMap<string, Error> | undefined> | undefined {
    const unsure = topics.filter(topic => !this.isWritable(topic));
    return unsure.length > 0 ? this.refusalsOf(unsure) : undefined;
  }

  /** Topics beside another, with as many partitions. @throws KafkaTopicsMissingError */
  async ensureBeside(topic: string, names: readonly string[], config: KafkaTopic['config'] = {}): Promise<void> {
    if (names.every(name => this.isFresh(name))) return;
    const { length: partitions } = await this.client.reader.bounds(topic);
    const largest = await this.limitOf(topic);
    const settings = {
      ...config,
      // Room for the headers that are added.
      ...(largest !== undefined && { 'max.message.bytes': String(Number(largest) + 1_024) }),
    };
    await this.ensureAll(names.map(name => ({ topic: name, partitions, config: settings })));
  }

  /** A topic with settings of its own. @throws KafkaTopicsMissingError */
  ensureAs(topic: KafkaTopic): Promise<void> {
    return this.ensureAll([topic]);
  }

  private async refusalsOf(topics: readonly string[]): Promise<ReadonlyMap<string, Error> | undefined> {
    const refused = new Map<string, Error>();
    const ensure = async (topic: string): Promise<void> => {
      const wasThere = this.known.has(topic);
      try {
        await this.ensure([topic]);
      } catch (error) {
        // A broker that is away for a while is waited for, as long as publishing may take; one that nobody has met yet is told of at once.
        if (!wasThere || !(error instanceof InfraError) || !error.retryable) refused.set(topic, error as Error);
      }
    };
    await Promise.all(topics.map(ensure));
    return refused.size > 0 ? refused : undefined;
  }

  /** Where none are made, one that was there once is the broker's to miss. */
  private isWritable(topic: string): boolean {
    return this.creates ? this.isFresh(topic) : this.known.has(topic);
  }

  /** What was set on the topic, where this account may see it. */
  private async limitOf(topic: string): Promise<string | undefined> {
    try {
      const [state] = await this.client.admin.describe([topic]);
      return state!.config['max.message.bytes'];
    } catch (error) {
      if (error instanceof KafkaUnauthorizedError) return undefined;
      throw error;
    }
  }

  private isFresh(topic: string): boolean {
    return (this.known.get(topic) ?? -Infinity) > performance.now() - FRESH_MS;
  }

  private async ensureAll(wanted: readonly KafkaTopic[]): Promise<void> {
    const missing = wanted.filter(({ topic }) => !this.isFresh(topic));
    await Promise.all(
      missing.map(topic => {
        let asked = this.asked.get(topic.topic);
        if (!asked) {
          asked = this.see(topic).finally(() => this.asked.delete(topic.topic));
          this.asked.set(topic.topic, asked);
        }
        return asked;
      }),
    );
  }

  private async see(wanted: KafkaTopic): Promise<void> {
    const { topic } = wanted;
    const { replicationFactor } = this.config;
    if (this.creates) {
      const [report] = await this.client.admin.ensureTopics([
        { ...wanted, ...(replicationFactor !== undefined && { replicationFactor }) },
      ]);
      if (report!.state === 'created') this.logger.log(`The topic "${topic}" was made`);
      const fewer = report!.differences.find(({ what }) => what === 'partitions');
      if (fewer && Number(fewer.found) < Number(fewer.wanted))
        this.logger.warn(`The topic "${topic}" has ${fewer.found} partitions, and is to have ${fewer.wanted}`);
    } else await this.find(wanted);
    this.known.set(topic, performance.now());
  }

  private async find(wanted: KafkaTopic): Promise<void> {
    try {
      await this.client.reader.bounds(wanted.topic);
    } catch (error) {
      if (error instanceof KafkaUnknownTopicError) throw new KafkaTopicsMissingError(wanted);
      throw error;
    }
  }
}
