import {
  type KafkaBatch,
  KafkaClient,
  type KafkaConsumer,
  type KafkaConsumerHandlers,
  KafkaModule,
  type KafkaOptions,
  type KafkaPartition,
} from '@core-infra/kafka';
import { AppInfo, Clock, type DriverSite } from '@core-infra/kernel';
import { bootInfra } from '@core-infra/testing';
import { Logger } from '@nestjs/common';
import { MessagingConfig } from '../../../src/config/messaging.config.js';
import { KafkaDriver } from '../../../src/drivers/kafka/kafka.driver.js';
import type { Partition, ReceivedMessage } from '../../../src/index.js';
import type { DeliverySink } from '../../../src/driver/message-driver.js';

/** A client that lets a spec see what its consumers are given. */
class SeenClient extends KafkaClient {
  readonly batches: KafkaBatch[] = [];
  readonly partitions: KafkaPartition[] = [];

  constructor(private readonly real: KafkaClient) {
    super();
  }

  get producer() {
    return this.real.producer;
  }
  get admin() {
    return this.real.admin;
  }
  get reader() {
    return this.real.reader;
  }
  get native() {
    return this.real.native;
  }

  consumer(group: string, topics: readonly string[], handlers: KafkaConsumerHandlers): KafkaConsumer {
    return this.real.consumer(group, topics, {
      ...handlers,
      assigned: async partitions => {
        this.partitions.splice(0, this.partitions.length, ...partitions);
        await handlers.assigned?.(partitions);
      },
      records: batch => {
        this.batches.push(batch);
        return handlers.records(batch);
      },
    });
  }
}

/** What a group was told; nothing is settled of itself. */
export class SeenSink implements DeliverySink {
  readonly messages: ReceivedMessage[] = [];
  readonly troubles: (Error | undefined)[] = [];
  /** Called with what is delivered. */
  onDeliver?: (messages: readonly ReceivedMessage[]) => void;

  async assigned(_partitions: readonly Partition[]): Promise<void> {}
  async revoked(_partitions: readonly Partition[]): Promise<void> {}
  deliver(messages: readonly ReceivedMessage[]): void {
    this.messages.push(...messages);
    this.onDeliver?.(messages);
  }
  troubled(error: Error | undefined): void {
    this.troubles.push(error);
  }
}

/** The driver by itself, without the bus above it. */
export async function driveKafka(kafka: KafkaOptions) {
  const app = await bootInfra(
    KafkaModule.forRoot({
      startup: 'require',
      ...kafka,
      consumer: { heartbeatIntervalMs: 200, fetchMaxWaitMs: 50, ...kafka.consumer },
    }),
  );
  const client = new SeenClient(app.get(KafkaClient));
  const site = { app: AppInfo.unknown, clock: Clock.system, logger: new Logger('spec') } as Partial<DriverSite>;
  const driver = new KafkaDriver(client, new MessagingConfig(), site as DriverSite);
  return { client, driver, [Symbol.asyncDispose]: () => app.close() };
}
