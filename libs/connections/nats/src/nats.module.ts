import { Module } from '@nestjs/common';
import { type ConfigInput, defineConcern } from '@core-infra/kernel';
import { classifyNats } from './classify.js';
import { NatsConfig } from './config/nats.config.js';
import { natsIo } from './drivers/nats-io.js';
import { NatsClient } from './nats.client.js';

/** What `forRoot` takes. */
export type NatsOptions = ConfigInput<NatsConfig>;

const nats = defineConcern<NatsConfig, NatsClient>({
  name: 'nats',
  port: NatsClient,
  config: NatsConfig,
  classify: classifyNats,
  drivers: { nats: natsIo },
});

/** DI token of a connection: `NatsClient` itself for the default one. */
export const getNatsToken = nats.token;

/** Injects a connection by its name. */
export const InjectNats = nats.Inject;

/** NATS: {@link NatsClient} by type. */
@Module({})
export class NatsModule extends nats.ConcernModule {}
