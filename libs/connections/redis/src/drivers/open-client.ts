import { setTimeout as delay } from 'node:timers/promises';
import type { DriverSite, Opened } from '@core-infra/kernel';
import type { Cluster, Redis } from 'ioredis';
import { watchAvailability } from '../availability/availability.js';
import { AvailabilityMonitor } from '../availability/availability-monitor.js';
import { limitConnecting } from '../availability/connect-limit.js';
import { neverRepeatWrites } from '../commands/at-most-once.js';
import { holdUntilReady } from '../commands/hold-until-ready.js';
import { isCluster } from '../commands/internals.js';
import { type CommandSite, watchCommands } from '../commands/watch-commands.js';
import type { RedisConfig } from '../config/redis.config.js';
import { checkCluster } from '../health/check-cluster.js';
import { checkRedis } from '../health/check-redis.js';
import type { RedisClient } from '../redis.client.js';
import { ClusterLink } from './cluster-link.js';
import { closeDuplicates, originOfDuplicates } from './duplicates.js';
import { wrongMode } from './diagnose.js';
import { FirstContact } from './first-contact.js';
import { addressOf, GOODBYE_MS } from './ioredis-options.js';
import { RedisLink } from './redis-link.js';
import { assertSecure } from './security.js';
import { outliveSocketErrors } from './socket-errors.js';

/** Makes a connection of ours of one of ioredis's clients: what all drivers have in common. */
export async function openClient(
  config: RedisConfig,
  at: DriverSite,
  make: () => Redis | Cluster,
): Promise<Opened<RedisClient>> {
  assertSecure(config, at);
  const native = make();
  outliveSocketErrors(native);
  const client = native as unknown as RedisClient;
  const commandTimeoutMs = () => config.commandTimeoutMs;
  const monitor: AvailabilityMonitor = new AvailabilityMonitor(
    { id: at.id, logger: at.logger, clock: at.clock, commandTimeoutMs },
    isCluster(native)
      ? new ClusterLink(native)
      : new RedisLink(native, info => {
          const wrong = wrongMode(info, config);
          if (!wrong) return;
          contact.failed(wrong);
          throw wrong;
        }),
  );
  const contact: FirstContact = new FirstContact(native, config, at, monitor);
  const site: CommandSite = {
    id: at.id,
    isCluster: isCluster(native),
    operations: at.operations,
    commandTimeoutMs,
    reason: () => (monitor.isAvailable ? undefined : monitor.reason),
  };
  if (isCluster(native))
    native.on('+node', (node: Redis) => {
      neverRepeatWrites(node);
      holdUntilReady(node);
    });
  else {
    neverRepeatWrites(native);
    holdUntilReady(native);
    // Before the kernel gives up, who would not know why.
    limitConnecting(native, Math.ceil(config.connectTimeoutMs * 0.9), limitMs => contact.gaveUp(limitMs));
  }
  watchCommands(native, site);
  watchAvailability(client, monitor);
  originOfDuplicates(client, { site, monitor, config, logger: at.logger });
  at.onConfigChange(changed => {
    if (changed.includes('commandTimeoutMs')) applyCommandTimeout(native, config.commandTimeoutMs);
  });
  const checkWithinMs = config.checkTimeoutMs * 0.9;
  return {
    client,
    address: addressOf(config),
    connect: signal => contact.reach(signal),
    check: () =>
      isCluster(native)
        ? checkCluster(native, monitor, config, checkWithinMs)
        : checkRedis(native, monitor, config, checkWithinMs),
    close: async signal => {
      contact.close();
      monitor.retire();
      closeDuplicates(client);
      await quit(native, AbortSignal.any([signal, AbortSignal.timeout(config.shutdownTimeoutMs / 2)]));
      monitor.close();
    },
  };
}

/** Lets what is under way end, and cuts what does not. QUIT is answered after everything that was sent before it. */
async function quit(native: Redis | Cluster, signal: AbortSignal): Promise<void> {
  const ended = new Promise<void>(resolve => native.once('end', resolve));
  const over = new Promise<void>(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const isOpen = native.status === 'ready' || native.status === 'connect' || native.status === 'connecting';
  if (native.status === 'ready') await Promise.race([native.quit().catch(() => undefined), over]);
  native.disconnect();
  if (isOpen) await Promise.race([ended, delay(GOODBYE_MS, undefined, { ref: false })]);
}

/** ioredis reads it with each command. */
function applyCommandTimeout(native: Redis | Cluster, commandTimeoutMs: number): void {
  if (!isCluster(native)) {
    native.options.commandTimeout = commandTimeoutMs;
    return;
  }
  if (native.options.redisOptions) native.options.redisOptions.commandTimeout = commandTimeoutMs;
  for (const node of native.nodes()) node.options.commandTimeout = commandTimeoutMs;
}
