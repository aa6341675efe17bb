import type { DriverSite, Opened } from '@core-infra/kernel';
import type { RedisClient } from '@core-infra/redis';
import type { InboxConfig } from '../inbox/inbox.config.js';
import type { Inbox } from '../stores/inbox.js';
import { RedisInbox } from './redis-inbox/redis-inbox.js';

/** Remembers in Redis what groups have handled. */
export function driver(config: InboxConfig, at: DriverSite): Opened<Inbox> {
  const client = at.upstream<RedisClient>();
  return {
    client: new RedisInbox(client, config, error =>
      at.logger.warn(
        `It could not be recorded that events were handled; they are handled again when they come again: ${error.message}`,
      ),
    ),
  };
}
