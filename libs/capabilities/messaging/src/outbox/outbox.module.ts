import { type DynamicModule, Injectable, Module } from '@nestjs/common';
import { type ConcernAsyncOptions, type ConfigInput, defineConcern, type Placement } from '@core-infra/kernel';
import { MessagingHub } from '../bus/messaging-hub.js';
import { OutboxConfig } from './outbox.config.js';
import { OutboxRelay } from './outbox.js';
import { postgres } from './postgres.js';

/** What `forRoot` takes. */
export type OutboxOptions = ConfigInput<OutboxConfig>;

const outbox = defineConcern<OutboxConfig, OutboxRelay>({
  name: 'outbox',
  port: OutboxRelay,
  config: OutboxConfig,
  upstreams: { postgres: 'database' },
  drivers: { postgres },
});

/** Ties the default outbox to the default bus. */
@Injectable()
class OutboxOfBus {
  constructor(relay: OutboxRelay, hub: MessagingHub) {
    relay.attach(hub);
  }
}

/** Events that are published in a transaction are written in it, and handed to the broker after its commit. Import it beside MessagingModule and DatabaseModule. */
@Module({})
export class OutboxModule extends outbox.ConcernModule {
  static override forRoot(options: OutboxOptions & Partial<Placement> = {}): DynamicModule {
    return attached(super.forRoot(options));
  }

  static override forRootAsync(options: ConcernAsyncOptions<OutboxOptions> = {}): DynamicModule {
    return attached(super.forRootAsync(options));
  }
}

function attached(definition: DynamicModule): DynamicModule {
  if (definition.providers?.includes(OutboxOfBus)) return definition;
  return { ...definition, providers: [...(definition.providers ?? []), OutboxOfBus] };
}
