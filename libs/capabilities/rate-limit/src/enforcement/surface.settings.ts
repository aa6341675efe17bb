import { AccessLists } from '../client/access-lists.js';
import { ClientAddresses } from '../client/client-address.js';
import type { ClientConfig } from '../client/client.config.js';
import { groupOf, type LimitGroup } from '../decorators/limit.groups.js';
import { DEFAULT_NAME } from '../decorators/limit.problems.js';
import { configOf } from '../limiter-config.js';
import type { RateLimitConfig } from '../rate-limit.config.js';
import type { RateLimiter } from '../rate-limiter.js';

/** The configuration as it is at the moment, in the shape in which it is used. */
export class SurfaceSettings {
  readonly addresses: ClientAddresses;
  readonly access: AccessLists;
  private group?: LimitGroup;

  constructor(private readonly config: RateLimitConfig) {
    this.addresses = new ClientAddresses(config.client);
    this.access = new AccessLists(config.access);
  }

  static of(limiter: RateLimiter): SurfaceSettings {
    return new SurfaceSettings(configOf(limiter));
  }

  get client(): ClientConfig {
    return this.config.client;
  }

  /** The limit of handlers that state none; `undefined` when it is off. */
  get default(): LimitGroup | undefined {
    const { enabled, limit, windowMs, by } = this.config.default;
    if (!enabled) return undefined;
    const [window] = this.group?.rule.windows ?? [];
    if (window?.limit !== limit || window.windowMs !== windowMs || this.group?.by !== by) {
      const terms = { by, cost: undefined, skipIf: undefined, onFailure: undefined };
      this.group = groupOf([{ ...terms, name: DEFAULT_NAME, windows: [{ limit, windowMs }] }]);
    }
    return this.group;
  }
}
