import { type ArgumentsHost, Catch, type INestApplication, Injectable } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { AppContributor, type AppContributing } from '@core-infra/kernel';
import { throwError } from 'rxjs';
import { EventBus } from '../bus/event-bus.js';
import { hubOf } from '../bus/open-bus.js';
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
 * @core-infra/core does both; those who keep a `main.ts` of their own call this before `app.init()`.
 */
export function connectHandlers(app: INestApplication, bus: EventBus = app.get(EventBus, { strict: false })): void {
  // Filters are asked from the last to the first. Nest has no public way to put one before all, and hides the class of an error that none takes.
  const { config } = app as unknown as { config: { getGlobalFilters(): unknown[] } };
  config.getGlobalFilters().unshift(new LastResortFilter(app.getHttpAdapter()));
  app.connectMicroservice({ strategy: new MessagingStrategy(hubOf(bus)) }, { inheritAppConfig: true });
}

/** Has `bootstrap` connect them. */
@Injectable()
@AppContributor()
export class ConsumersContributor implements AppContributing {
  constructor(private readonly bus: EventBus) {}

  contribute(app: INestApplication): void {
    connectHandlers(app, this.bus);
  }
}
