import type { DriverSite } from '@core-infra/kernel';
import type { Kafka } from 'kafkajs';
import type { KafkaConfig } from '../../config/kafka.config.js';
import { KafkaClosedError } from '../../errors.js';
import { KafkaClient } from '../../kafka.client.js';
import type { KafkaConsumer, KafkaConsumerHandlers, KafkaConsumerOptions } from '../../ports/consumer.js';
import type { BatchingProducer } from '../../producer/batching-producer.js';
import type { KafkajsAdmin } from './admin.js';
import type { KafkajsReader } from './reader.js';
import { KafkajsGroupMember } from './group-member.js';

/** {@link KafkaClient} over kafkajs. */
export class KafkajsClient extends KafkaClient {
  readonly members = new Set<KafkajsGroupMember>();
  #draining = false;

  constructor(
    readonly native: Kafka,
    readonly producer: BatchingProducer,
    readonly admin: KafkajsAdmin,
    readonly reader: KafkajsReader,
    private readonly config: KafkaConfig,
    private readonly at: DriverSite,
  ) {
    super();
  }

  consumer(
    group: string,
    topics: readonly string[],
    handlers: KafkaConsumerHandlers,
    options: KafkaConsumerOptions = {},
  ): KafkaConsumer {
    if (this.#draining) throw new KafkaClosedError(this.at.id);
    const { config, at, admin } = this;
    const onClosed = (closed: KafkajsGroupMember): void => void this.members.delete(closed);
    const member = new KafkajsGroupMember({ group, topics, handlers, options, config, at, admin, onClosed });
    this.members.add(member);
    return member;
  }

  /** Reads no more; what was read is worked on, and what is to be written is written. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true;
    await Promise.all([...this.members].map(member => member.close(signal)));
    await this.producer.flush(signal);
  }
}
