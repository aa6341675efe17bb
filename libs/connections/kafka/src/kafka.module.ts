import { Module } from '@nestjs/common';
import { type ConfigInput, defineConcern } from '@core-infra/kernel';
import { Kafka } from 'kafkajs';
import { classifyKafka } from './classify.js';
import { KafkaConfig } from './config/kafka.config.js';
import { kafkajs } from './drivers/kafkajs/kafkajs.js';
import { KafkaClient } from './kafka.client.js';

/** What `forRoot` takes. */
export type KafkaOptions = ConfigInput<KafkaConfig>;

const kafka = defineConcern<KafkaConfig, KafkaClient>({
  name: 'kafka',
  port: KafkaClient,
  also: [{ token: Kafka, from: client => client.native }],
  config: KafkaConfig,
  classify: classifyKafka,
  drivers: { kafkajs },
});

/** DI token of a connection: `KafkaClient` itself for the default one. */
export const getKafkaToken = kafka.token;

/** Injects a connection by its name. */
export const InjectKafka = kafka.Inject;

/** Kafka: {@link KafkaClient} by type; kafkajs's own `Kafka` too. */
@Module({})
export class KafkaModule extends kafka.ConcernModule {}
