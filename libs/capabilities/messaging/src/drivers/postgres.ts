import type { DataSource } from '@core-infra/database';
import type { DriverSite, Opened } from '@core-infra/kernel';
import type { EventBus } from '../bus/event-bus.js';
import { openBus } from '../bus/open-bus.js';
import type { MessagingConfig } from '../config/messaging.config.js';
import { declaredGroups } from '../config/topic.config.js';
import { PostgresBroker } from './postgres/postgres.broker.js';

/** Carries messages in the app's own PostgreSQL, as jobs of pg-boss: durable, and without another server. */
export function driver(config: MessagingConfig, at: DriverSite): Opened<EventBus> {
  const broker = new PostgresBroker(at.upstream<DataSource>(), config.postgres, at, declaredGroups(config));
  return openBus(config, at, broker, {
    connect: () => broker.connect(),
    check: () => broker.check(),
    close: () => broker.close(),
  });
}
