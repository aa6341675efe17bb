import type { INestApplicationContext, Logger } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';

/**
 * Nest runs `onModuleDestroy` while HTTP still serves: whoever releases something there breaks requests in flight.
 * Modules of Nest itself and of libraries are theirs to answer for; their classes come from node_modules and are not named here.
 */
export function warnOfEarlyHooks(app: INestApplicationContext, logger: Logger): void {
  const found = new Set<string>();
  for (const module of app.get(ModulesContainer).values()) {
    for (const { instance } of [...module.providers.values(), ...module.controllers.values()]) {
      const own = instance as { onModuleDestroy?: unknown; constructor?: { name: string } } | null | undefined;
      if (typeof own === 'object' && own !== null && typeof own.onModuleDestroy === 'function')
        found.add(own.constructor?.name ?? module.name);
    }
  }
  if (found.size > 0) {
    logger.warn(
      `${[...found].join(', ')}: onModuleDestroy runs while requests are still served. Release resources in onApplicationShutdown instead.`,
    );
  }
}
