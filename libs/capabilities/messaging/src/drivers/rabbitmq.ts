import type { DriverSite, Opened } from '@core-infra/kernel';
import type { RabbitmqClient } from '@core-infra/rabbitmq';
import type { EventBus } from '../bus/event-bus.js';
import { openBus } from '../bus/open-bus.js';
import type { MessagingConfig } from '../config/messaging.config.js';
import { addressesOf, declaredGroups } from '../config/topic.config.js';
import { RabbitmqDriver } from './rabbitmq/rabbitmq.driver.js';

/** Carries messages over RabbitMQ. */
export function driver(config: MessagingConfig, at: DriverSite): Opened<EventBus> {
  const client = at.upstream<RabbitmqClient>();
  const rabbitmq = new RabbitmqDriver(client, at, config.rabbitmq, declaredGroups(config), addressesOf(config));
  return openBus(config, at, rabbitmq, { connect: () => rabbitmq.connect(), close: () => rabbitmq.close() });
}
