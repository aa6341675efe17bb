import { AsyncLocalStorage } from 'node:async_hooks';
import type { Cluster, Redis } from 'ioredis';

/** What a command wants of the app's configuration: a client of one connection, and nothing else of the app. */
export interface CommandScope {
  readonly connection: string;
  /** Called by the driver in place of connecting; its promise outlives a boot that fails elsewhere. */
  readonly found: (make: () => Redis | Cluster) => Promise<void>;
}

/** Set while a command boots the app to get at its configuration. */
export const commandScope = new AsyncLocalStorage<CommandScope>();

/** Ends a boot whose purpose is fulfilled. */
export class RedisCommandDone extends Error {
  constructor() {
    super('The command has what it needs; the app is not started.');
  }
}

/** Whether that is what ended a boot, whatever the kernel says around it. */
export function isRedisCommandDone(error: unknown): boolean {
  let at = error;
  while (at instanceof Error && !(at instanceof RedisCommandDone)) at = at.cause;
  return at instanceof RedisCommandDone;
}

/** @throws RedisCommandDone when a command wanted this connection, and has done its work */
export async function passClientToCommand(name: string, make: () => Redis | Cluster): Promise<void> {
  const command = commandScope.getStore();
  if (!command || command.connection !== name) return;
  await command.found(make);
  throw new RedisCommandDone();
}
