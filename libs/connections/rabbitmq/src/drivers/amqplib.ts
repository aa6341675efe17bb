import type { DriverSite, Opened } from '@core-infra/kernel';
import type { RabbitmqConfig } from '../config/rabbitmq.config.js';
import { checkRabbitmq } from '../health/check.js';
import { addressOf } from '../link/diagnose.js';
import { Link } from '../link/link.js';
import type { RabbitmqClient } from '../rabbitmq.client.js';
import { AmqplibClient } from './amqplib.client.js';

/** One broker, or a cluster behind one address. */
export function amqplib(config: RabbitmqConfig, at: DriverSite): Opened<RabbitmqClient> {
  const link = new Link(config, at);
  const client = new AmqplibClient(link);
  return {
    client,
    address: addressOf(config),
    connect: () => link.open(),
    check: () => checkRabbitmq(link, client),
    drain: signal => client.drain(signal),
    close: signal => link.close(signal),
  };
}
