import { type DynamicModule, Module } from '@nestjs/common';
import {
  type ConcernAsyncOptions,
  type ConfigInput,
  defineConcern,
  lazyDriver,
  type Placement,
} from '@core-infra/kernel';
import { EventBus } from './bus/event-bus.js';
import { MessagingHub } from './bus/messaging-hub.js';
import { hubOf } from './bus/open-bus.js';
import { MessagingConfig } from './config/messaging.config.js';
import { memory } from './drivers/memory.js';
import { consumersOf } from './handlers/consumers.contributor.js';

/** What `forRoot` takes. */
export type MessagingOptions = ConfigInput<MessagingConfig>;

const messaging = defineConcern<MessagingConfig, EventBus>({
  name: 'messaging',
  port: EventBus,
  also: [{ token: MessagingHub as never, from: hubOf }],
  config: MessagingConfig,
  upstreams: { postgres: 'database', kafka: 'kafka', rabbitmq: 'rabbitmq', nats: 'nats' },
  drivers: {
    memory,
    kafka: lazyDriver(() => import('./drivers/kafka.js'), ['@core-infra/kafka']),
    nats: lazyDriver(() => import('./drivers/nats.js'), ['@core-infra/nats']),
    postgres: lazyDriver(() => import('./drivers/postgres.js'), ['@core-infra/database', 'pg-boss@^12.35']),
    rabbitmq: lazyDriver(() => import('./drivers/rabbitmq.js'), ['@core-infra/rabbitmq']),
  },
});

/** DI token of a bus: `EventBus` itself for the default one. */
export const getEventBusToken = messaging.token;

/** Injects a bus by its name. */
export const InjectEventBus = messaging.Inject;

/** Events: {@link EventBus} by type, and the handlers of the app fed by the groups they name. */
@Module({})
export class MessagingModule extends messaging.ConcernModule {
  static override forRoot(options: MessagingOptions & Partial<Placement> = {}): DynamicModule {
    return withConsumers(super.forRoot(options), options.name);
  }

  static override forRootAsync(options: ConcernAsyncOptions<MessagingOptions> = {}): DynamicModule {
    return withConsumers(super.forRootAsync(options), options.name);
  }
}

/** Handlers are fed by the bus that they name. */
function withConsumers(definition: DynamicModule, name: string = 'default'): DynamicModule {
  return { ...definition, providers: [...(definition.providers ?? []), consumersOf(getEventBusToken(name))] };
}
