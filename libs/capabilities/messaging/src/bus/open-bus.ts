import type { Check, DriverSite, Opened, Step } from '@core-infra/kernel';
import type { MessagingConfig } from '../config/messaging.config.js';
import type { MessageDriver } from '../driver/message-driver.js';
import type { EventBus } from './event-bus.js';
import { metricsOf } from '../metrics/messaging.metrics.js';
import { withConsumers } from './consumers.check.js';
import { MessagingHub } from './messaging-hub.js';
import { Publisher } from './publisher.js';

const hubs = new WeakMap<EventBus, MessagingHub>();

/** What a driver does besides carrying messages. */
export interface DriverSteps {
  readonly address?: string;
  readonly connect?: Step;
  readonly check?: Check | Readonly<Record<string, Check>>;
  readonly close?: Step;
}

/** What every driver of the concern returns: the bus over what carries its messages. */
export function openBus(
  config: MessagingConfig,
  at: DriverSite,
  driver: MessageDriver,
  steps: DriverSteps,
): Opened<EventBus> {
  const hub = new MessagingHub(driver, config, at);
  const bus = new Publisher(hub);
  hubs.set(bus, hub);
  return {
    ...steps,
    check: withConsumers(hub, steps.check),
    metrics: metricsOf(hub),
    client: bus,
    drain: signal => hub.drain(signal),
  };
}

/** The hub of a bus that a driver made. */
export function hubOf(bus: EventBus): MessagingHub {
  const hub = hubs.get(bus);
  if (!hub) throw new TypeError('This EventBus was not opened by MessagingModule.');
  return hub;
}
