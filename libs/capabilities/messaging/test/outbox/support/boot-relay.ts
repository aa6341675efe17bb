import { DatabaseModule, DataSource } from '@core-infra/database';
import {
  AppInfo,
  AppState,
  classify,
  Clock,
  type DriverSite,
  operations,
  Policies,
  RequestContext,
} from '@core-infra/kernel';
import { bootInfra, type InfraApp } from '@core-infra/testing';
import { Logger } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { MessagingHub } from '../../../src/bus/messaging-hub.js';
import { MessagingConfig } from '../../../src/config/messaging.config.js';
import type { MessageDriver } from '../../../src/driver/message-driver.js';
import { MemoryBroker } from '../../../src/drivers/memory/memory.broker.js';
import { messagingMigrations, OutboxConfig } from '../../../src/outbox/index.js';
import { DatabaseOutbox } from '../../../src/outbox/database.outbox.js';
import { Relay } from '../../../src/outbox/relay/relay.js';

/** A relay by itself, into a driver that publishes as the spec says. */
export interface RelayApp extends AsyncDisposable {
  readonly app: InfraApp;
  readonly dataSource: DataSource;
  readonly hub: MessagingHub;
  readonly relay: Relay;
  readonly outbox: DatabaseOutbox;
}

export async function bootRelay(
  url: string,
  publish: MessageDriver['publish'],
  options: Partial<OutboxConfig> = {},
): Promise<RelayApp> {
  const app = await bootInfra(
    DatabaseModule.forRoot({ dsn: url, migrations: { classes: messagingMigrations, atBoot: true } }),
  );
  const dataSource = app.get(DataSource);
  const site: DriverSite = {
    id: 'outbox',
    name: 'default',
    logger: new Logger('outbox'),
    app: AppInfo.unknown,
    context: RequestContext.none,
    policies: Policies.none,
    clock: Clock.system,
    state: app.get(AppState),
    modules: app.get(ModulesContainer),
    operations: operations('outbox'),
    classify: error => classify(error),
    onConfigChange: () => undefined,
    upstream: () => {
      throw new TypeError('none');
    },
  };
  const driver = Object.assign(new MemoryBroker(Clock.system), { publish });
  const hub = new MessagingHub(driver, new MessagingConfig(), site);
  const config = Object.assign(new OutboxConfig(), options);
  const relay = new Relay(dataSource, hub, config, site);
  const outbox = new DatabaseOutbox(dataSource, () => relay.wake(), config.listen);
  return {
    app,
    dataSource,
    hub,
    relay,
    outbox,
    [Symbol.asyncDispose]: async () => {
      await relay.stop(AbortSignal.timeout(5_000));
      await app.close();
    },
  };
}

let made = 0;

/** Messages of these keys, in turns. */
export function messagesOf(count: number, keys: number) {
  return Array.from({ length: count }, (_, at) => ({
    id: `m-${(made += 1)}`,
    topic: 'topic',
    key: `key-${at % keys}`,
    headers: { at: String(at) },
    body: Buffer.from(String(at)),
    kind: 'event' as const,
  }));
}
