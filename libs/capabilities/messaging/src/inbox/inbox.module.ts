import { type DynamicModule, Injectable, Module } from '@nestjs/common';
import {
  type ConcernAsyncOptions,
  type ConfigInput,
  defineConcern,
  lazyDriver,
  type Placement,
} from '@core-infra/kernel';
import { MessagingHub } from '../bus/messaging-hub.js';
import type { Inbox } from '../stores/inbox.js';
import { InboxConfig } from './inbox.config.js';

/** What `forRoot` takes. */
export type InboxOptions = ConfigInput<InboxConfig>;

/** The inbox of an app without a database, as its modules see it. */
abstract class InboxPort implements Inbox {
  abstract once(...given: Parameters<Inbox['once']>): ReturnType<Inbox['once']>;
}

const inbox = defineConcern<InboxConfig, InboxPort>({
  name: 'inbox',
  port: InboxPort,
  config: InboxConfig,
  upstreams: { redis: 'redis' },
  drivers: { redis: lazyDriver(() => import('../drivers/redis-inbox.js'), ['@core-infra/redis']) },
});

/** Ties it to the default bus, unless a database does better. */
@Injectable()
class InboxOfBus {
  constructor(port: InboxPort, hub: MessagingHub) {
    hub.stores.inbox ??= port;
  }
}

/**
 * Skips events that come twice, for handlers without a database: import it beside MessagingModule and RedisModule. Its promise is weaker than that
 * of OutboxModule, which is used where both are there: what a handler does and the record of it are not in one transaction, so that an event may be
 * handled again when a process dies between the two, when a handler is at work for longer than `leaseMs`, or when Redis loses or evicts its keys.
 */
@Module({})
export class InboxModule extends inbox.ConcernModule {
  static override forRoot(options: InboxOptions & Partial<Placement> = {}): DynamicModule {
    return attached(super.forRoot(options));
  }

  static override forRootAsync(options: ConcernAsyncOptions<InboxOptions> = {}): DynamicModule {
    return attached(super.forRootAsync(options));
  }
}

function attached(definition: DynamicModule): DynamicModule {
  if (definition.providers?.includes(InboxOfBus)) return definition;
  return { ...definition, providers: [...(definition.providers ?? []), InboxOfBus] };
}
