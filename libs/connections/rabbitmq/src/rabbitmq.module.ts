import { Module } from '@nestjs/common';
import { type ConfigInput, defineConcern } from '@core-infra/kernel';
import { classifyRabbitmq } from './classify.js';
import { RabbitmqConfig } from './config/rabbitmq.config.js';
import type { AmqplibClient } from './drivers/amqplib.client.js';
import { amqplib } from './drivers/amqplib.js';
import { AmqpConnection, RabbitmqClient } from './rabbitmq.client.js';

/** What `forRoot` takes. */
export type RabbitmqOptions = ConfigInput<RabbitmqConfig>;

const rabbitmq = defineConcern<RabbitmqConfig, RabbitmqClient>({
  name: 'rabbitmq',
  port: RabbitmqClient,
  also: [{ token: AmqpConnection, from: client => (client as AmqplibClient).connection }],
  config: RabbitmqConfig,
  classify: classifyRabbitmq,
  drivers: { amqplib },
});

/** DI token of a connection: `RabbitmqClient` itself for the default one. */
export const getRabbitmqToken = rabbitmq.token;

/** Injects a connection by its name. */
export const InjectRabbitmq = rabbitmq.Inject;

/** RabbitMQ: {@link RabbitmqClient} by type, and amqplib's own connection as {@link AmqpConnection}. */
@Module({})
export class RabbitmqModule extends rabbitmq.ConcernModule {}
