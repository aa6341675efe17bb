import { type INestApplication, SetMetadata } from '@nestjs/common';

export const APP_CONTRIBUTOR = 'core-infra:app-contributor';

/** A provider that has something to say when the application is set up, before it listens. */
export interface AppContributing {
  /** Pipes, filters, microservices, documents: what only the application object can be told. Called once, before `init`. */
  contribute(app: INestApplication): void | Promise<void>;
}

/**
 * Marks a provider whose {@link AppContributing.contribute} `bootstrap` calls between creating and initialising an HTTP application.
 * Contributors are called by ascending `order` (0 by default).
 */
export function AppContributor(options: { order?: number } = {}): ClassDecorator {
  return SetMetadata(APP_CONTRIBUTOR, { order: options.order ?? 0 });
}
