import { DatabaseModule } from '@core-infra/database';
import type { HttpApp, Importable } from '@core-infra/testing';
import type { Type } from '@nestjs/common';
import type { MessagingOptions } from '../../../src/index.js';
import { messagingMigrations, OutboxModule, type OutboxOptions } from '../../../src/outbox/index.js';
import { bootMessaging } from '../../support/boot-messaging.js';

export interface BootWithDatabase {
  readonly url: string;
  readonly controllers?: readonly Type[];
  readonly imports?: readonly Importable[];
  readonly messaging?: MessagingOptions;
  readonly outbox?: OutboxOptions;
}

/** An app with these handlers on the memory driver, and with everything that a database keeps for it. */
export function bootWithDatabase(given: BootWithDatabase): Promise<HttpApp> {
  const { url, controllers = [], imports = [], messaging = {}, outbox = {} } = given;
  return bootMessaging({
    controllers,
    imports: [
      // Where a spec reads what is logged, a slow machine is not to be read of.
      DatabaseModule.forRoot({
        dsn: url,
        slowQueryMs: 0,
        migrations: { classes: messagingMigrations, atBoot: true },
      }),
      OutboxModule.forRoot(outbox),
      ...imports,
    ],
    options: messaging,
  });
}
