import type { DriverSite } from '@core-infra/kernel';
import type { MessagingConfig } from '../config/messaging.config.js';
import type { MessageDriver } from '../driver/message-driver.js';
import type { DriverSteps } from './open-bus.js';

/** What a driver of the app's own opens: what carries messages, and how it is connected, checked and closed. */
export interface OpenedDriver extends DriverSteps {
  readonly driver: MessageDriver;
}

/** A driver that is no part of this package, for `MessagingModule.over`. */
export interface OwnDriver {
  /** What `messaging.driver` is then. */
  readonly name: string;
  /** The concern that it stands on, e.g. `redis`: `at.upstream()` is its client. @default none */
  readonly upstream?: string;
  /** Constructs it; the broker is reached in `connect`. */
  open(config: MessagingConfig, at: DriverSite): OpenedDriver | Promise<OpenedDriver>;
}
