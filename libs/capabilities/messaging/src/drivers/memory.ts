import type { DriverSite, Opened } from '@core-infra/kernel';
import type { EventBus } from '../bus/event-bus.js';
import { openBus } from '../bus/open-bus.js';
import type { MessagingConfig } from '../config/messaging.config.js';
import { MemoryInProductionError } from '../errors.js';
import { MemoryBroker } from './memory/memory.broker.js';

/** Carries messages within this process, and loses with it what was not handled. */
export function memory(config: MessagingConfig, at: DriverSite): Opened<EventBus> {
  if (at.app.environment === 'production' && !config.allowMemoryInProduction) throw new MemoryInProductionError();
  const broker = new MemoryBroker(at.clock);
  return openBus(config, at, broker, {
    check: () => ({ waiting: broker.waiting }),
    close: () => broker.close(),
  });
}
