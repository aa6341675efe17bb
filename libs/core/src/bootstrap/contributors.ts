import { APP_CONTRIBUTOR, type AppContributing } from '@core-infra/kernel';
import type { INestApplication } from '@nestjs/common';
import { DiscoveryService, ModulesContainer } from '@nestjs/core';

/** Lets every provider marked `@AppContributor()` say its part to the application, by ascending order. */
export async function applyContributors(app: INestApplication): Promise<void> {
  const found = new DiscoveryService(app.get(ModulesContainer))
    .getProviders()
    .map(({ instance, metatype }) => ({
      instance: instance as Partial<AppContributing> | undefined,
      mark: metatype ? (Reflect.getMetadata(APP_CONTRIBUTOR, metatype) as { order: number } | undefined) : undefined,
    }))
    .filter(({ instance, mark }) => mark && typeof instance?.contribute === 'function')
    .sort((a, b) => a.mark!.order - b.mark!.order);
  for (const instance of new Set(found.map(candidate => candidate.instance))) await instance!.contribute!(app);
}
