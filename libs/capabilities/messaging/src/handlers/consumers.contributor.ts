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

/** Connects the handlers of the app to their groups, as a microservice beside HTTP. */
@Injectable()
@AppContributor()
export class ConsumersContributor implements AppContributing {
  constructor(private readonly bus: EventBus) {}

  contribute(app: INestApplication): void {
    // Filters are asked from the last to the first. Nest has no public way to put one before all, and hides the class of an error that none takes.
    const { config } = app as unknown as { config: { getGlobalFilters(): unknown[] } };
    config.getGlobalFilters().unshift(new LastResortFilter(app.getHttpAdapter()));
    app.connectMicroservice({ strategy: new MessagingStrategy(hubOf(this.bus)) }, { inheritAppConfig: true });
  }
}
