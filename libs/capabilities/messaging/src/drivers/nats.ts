import type { DriverSite, Opened } from '@core-infra/kernel';
import type { NatsClient } from '@core-infra/nats';
import type { EventBus } from '../bus/event-bus.js';
import { openBus } from '../bus/open-bus.js';
import type { MessagingConfig } from '../config/messaging.config.js';
import { addressesOf, declaredGroups } from '../config/topic.config.js';
import { NatsDriver } from './nats/nats.driver.js';

/** Carries messages over NATS JetStream. */
export function driver(config: MessagingConfig, at: DriverSite): Opened<EventBus> {
  const said = { addresses: addressesOf(config), groups: declaredGroups(config) };
  const nats = new NatsDriver(at.upstream<NatsClient>(), at, config.nats, said);
  return openBus(config, at, nats, {
    connect: () => nats.connect(),
    check: () => nats.check(),
    close: () => nats.close(),
  });
}
