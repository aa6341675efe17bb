import { setTimeout as delay } from 'node:timers/promises';
import { classify, ConnectFailedError, type DriverSite, reasonOf } from '@core-infra/kernel';
import { classifyPostgres } from '../classify.js';
import type { DatabaseConfig } from '../config/database.config.js';
import type { Migrator } from './migrator.js';

const pauseMs = 250;

/**
 * Applies pending migrations at boot, where that is configured. With `startup: 'require'` before the connection is opened,
 * as no budget of a connection fits the rewriting of a table; with `background` in the returned step, which goes on when an
 * attempt to connect is given up.
 * @throws ConnectFailedError when the server cannot be reached within `connectTimeoutMs`
 */
export async function migrateAtBoot(
  config: DatabaseConfig,
  at: DriverSite,
  migrator: Migrator,
  address: string,
): Promise<() => Promise<void>> {
  if (!config.migrations.atBoot) return async () => undefined;
  const { shuttingDown: signal } = at.state;
  let running: Promise<unknown> | undefined;
  const migrate = async () => {
    running ??= migrator.up({ signal });
    try {
      await running;
    } catch (error) {
      running = undefined;
      throw error;
    }
  };
  if (config.startup === 'require') {
    await reachable(config, at, migrator, address);
    await migrate();
  }
  return migrate;
}

async function reachable(
  { connectTimeoutMs }: DatabaseConfig,
  { id, state }: DriverSite,
  migrator: Migrator,
  address: string,
): Promise<void> {
  const deadline = performance.now() + connectTimeoutMs;
  for (;;) {
    try {
      return await migrator.ping();
    } catch (error) {
      if (classify(error, [classifyPostgres]).retryable && performance.now() < deadline) {
        await delay(pauseMs, undefined, { signal: state.shuttingDown });
        continue;
      }
      throw new ConnectFailedError(
        id,
        address,
        `${reasonOf(error)} (asked for migrations at boot)`,
        'Start the server, or correct the address and the credentials, those of migrations.user included.',
        { cause: error },
      );
    }
  }
}
