import {
  type ArgumentsHost,
  Catch,
  type INestApplication,
  Inject,
  Injectable,
  type InjectionToken,
  type OnApplicationBootstrap,
  type Type,
} from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { AppContributor, type AppContributing, bootScope } from '@core-infra/kernel';
import { throwError } from 'rxjs';
import { EventBus } from '../bus/event-bus.js';
import { hubOf } from '../bus/open-bus.js';
import { declaredHandlers } from './declared-handlers.js';
import { MessagingStrategy } from './messaging.strategy.js';

/** Where no other filter takes an error of a message: it goes on as it is, to be judged by its class. */
@Catch()
class LastResortFilter extends BaseExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost): unknown {
    return host.getType() === 'rpc' ? throwError(() => exception) : super.catch(exception, host);
  }
}

/**
 * Connects the handlers of an app to their groups, as a microservice beside HTTP; `app.startAllMicroservices()` then starts it. `bootstrap` of
 * @core-infra/core does both; those who keep a `main.ts` of their own call this before `app.init()`. Called twice for a bus, it does nothing more.
 * @param bus whose handlers are connected; by default those of every bus of the app
 */
export function connectHandlers(app: INestApplication, bus?: EventBus): void {
  for (const each of bus ? [bus] : busesOf(app)) connect(app, each);
}

function busesOf(app: INestApplication): ReadonlySet<EventBus> {
  const providers = [...app.get(ModulesContainer).values()].flatMap(module => [...module.providers.values()]);
  return new Set(providers.flatMap(({ instance }) => (instance instanceof EventBus ? [instance] : [])));
}

function connect(app: INestApplication, bus: EventBus): void {
  const hub = hubOf(bus);
  if (hub.isServed) return;
  hub.isServed = true;
  // Filters are asked from the last to the first. Nest has no public way to put one before all, and hides the class of an error that none takes.
  const { config } = app as unknown as { config: { getGlobalFilters(): unknown[] } };
  const filters = config.getGlobalFilters();
  if (!filters.some(filter => filter instanceof LastResortFilter))
    filters.unshift(new LastResortFilter(app.getHttpAdapter()));
  app.connectMicroservice({ strategy: new MessagingStrategy(hub) }, { inheritAppConfig: true });
}

/** A provider that has `bootstrap` connect the handlers of a bus. */
export function consumersOf(token: InjectionToken<EventBus>): Type<AppContributing> {
  @Injectable()
  @AppContributor()
  class ConsumersContributor implements AppContributing, OnApplicationBootstrap {
    constructor(
      @Inject(token) private readonly bus: EventBus,
      private readonly host: HttpAdapterHost,
    ) {}

    contribute(app: INestApplication): void {
      connect(app, this.bus);
    }

    /** An app without an adapter, `bootstrap(…, { adapter: 'none' })`, has nothing that handlers could be connected to. */
    onApplicationBootstrap(): void {
      const hub = hubOf(this.bus);
      const hasAdapter = (this.host.httpAdapter as unknown) !== undefined && this.host.httpAdapter !== null;
      if (hub.isServed || hasAdapter || !bootScope.getStore()) return;
      const { name, logger, modules } = hub.site;
      const names = declaredHandlers(modules)
        .filter(({ extras: { bus = 'default' } }) => bus === name)
        .map(handler => handler.name);
      if (names.length > 0)
        logger.warn(
          `Nobody feeds the handlers of messages, as this app has no HTTP adapter: ${names.slice(0, 5).join(', ')}. ` +
            'Boot it without `adapter: "none"`: a worker serves /health and /metrics as well.',
        );
    }
  }
  return ConsumersContributor;
}
