import type { DriverSite } from '@core-infra/kernel';
import type { MessagingConfig } from '../config/messaging.config.js';
import type { GroupMember } from '../consume/group-member.js';
import { Pressure } from '../consume/pressure.js';
import type { MessageDriver } from '../driver/message-driver.js';
import type { DeadLetterStore } from '../stores/dead-letters.js';
import type { MessageStores } from './stores.js';
import { Routes } from './routes.js';

/** What publishers, consumers, and modules on top of the bus (outbox, commands) share. */
export class MessagingHub {
  readonly stores: MessageStores = {};
  readonly routes: Routes;
  /** Members of groups that are at work; drained before connections close. */
  readonly members = new Set<GroupMember>();
  /** Memory, event loop, and whatever a module on top adds; groups pause by them. */
  readonly pressure: Pressure;
  /** The handlers of the app are connected to it. */
  isServed = false;
  private readonly ending = new AbortController();
  /** Aborts when the app ends. */
  readonly stopping: AbortSignal = this.ending.signal;

  constructor(
    readonly driver: MessageDriver,
    readonly config: MessagingConfig,
    readonly site: DriverSite,
  ) {
    this.routes = new Routes(config, site.app.name);
    this.pressure = new Pressure(config.consumers, site.logger);
  }

  async drain(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.members].map(member => member.drain(signal)));
    this.ending.abort(new Error('The app ends.'));
  }

  get deadLetters(): DeadLetterStore {
    return this.stores.deadLetters ?? this.driver.deadLetters;
  }
}
