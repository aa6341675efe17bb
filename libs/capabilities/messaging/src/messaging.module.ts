import { type DynamicModule, Module } from '@nestjs/common';
import { IsIn } from 'class-validator';
import {
  type ConcernAsyncOptions,
  type ConcernModuleClass,
  type ConfigInput,
  defineConcern,
  type DriverSite,
  lazyDriver,
  type Placement,
} from '@core-infra/kernel';
import { EventBus } from './bus/event-bus.js';
import { MessagingHub } from './bus/messaging-hub.js';
import { hubOf, openBus } from './bus/open-bus.js';
import type { OwnDriver } from './bus/own-driver.js';
import { MessagingConfig, type MessagingDriverName } from './config/messaging.config.js';
import { memory } from './drivers/memory.js';
import { consumersOf } from './handlers/consumers.contributor.js';

/** What `forRoot` takes. */
export type MessagingOptions = ConfigInput<MessagingConfig>;

const ports = { name: 'messaging', port: EventBus, also: [{ token: MessagingHub as never, from: hubOf }] };

const messaging = defineConcern<MessagingConfig, EventBus>({
  ...ports,
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

  /** The same module over a driver that is no part of this package; import what it returns in place of this one. */
  static over({ name, upstream, open }: OwnDriver): ConcernModuleClass<MessagingOptions> {
    class OwnMessagingConfig extends MessagingConfig {
      @IsIn([name])
      override driver: MessagingDriverName = name as MessagingDriverName;
    }
    const own = defineConcern<MessagingConfig, EventBus>({
      ...ports,
      config: OwnMessagingConfig,
      upstreams: { ...(upstream !== undefined && { [name]: upstream }) },
      drivers: {
        [name]: async (config: MessagingConfig, at: DriverSite) => {
          const { driver, ...steps } = await open(config, at);
          return openBus(config, at, driver, steps);
        },
      } as never,
    });

    @Module({})
    class OwnMessagingModule extends own.ConcernModule {
      static override forRoot(options: MessagingOptions & Partial<Placement> = {}): DynamicModule {
        return withConsumers(super.forRoot(options), options.name);
      }

      static override forRootAsync(options: ConcernAsyncOptions<MessagingOptions> = {}): DynamicModule {
        return withConsumers(super.forRootAsync(options), options.name);
      }
    }
    return OwnMessagingModule;
  }
}

/** Handlers are fed by the bus that they name. */
function withConsumers(definition: DynamicModule, name: string = 'default'): DynamicModule {
  return { ...definition, providers: [...(definition.providers ?? []), consumersOf(getEventBusToken(name))] };
}
