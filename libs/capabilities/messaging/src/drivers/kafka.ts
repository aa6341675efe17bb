import type { KafkaClient } from '@core-infra/kafka';
import type { DriverSite, Opened } from '@core-infra/kernel';
import type { EventBus } from '../bus/event-bus.js';
import { openBus } from '../bus/open-bus.js';
import type { MessagingConfig } from '../config/messaging.config.js';
import { KafkaDriver } from './kafka/kafka.driver.js';

/** Carries messages over Kafka: topics, consumer groups, and three kinds of topics beside them for what fails. */
export function driver(config: MessagingConfig, at: DriverSite): Opened<EventBus> {
  const kafka = new KafkaDriver(at.upstream<KafkaClient>(), config, at);
  return openBus(config, at, kafka, { check: () => kafka.check() });
}
