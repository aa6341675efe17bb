import { connectionToken, guardedRoutes, type GuardedRoutesOptions, KernelModule } from '@core-infra/kernel';
import { type DynamicModule, Module } from '@nestjs/common';
import { UnguardedAdminError } from './errors.js';
import { ADMIN_FLAGS, FlagAdminController } from './flag-admin.controller.js';
import { TAGS } from './openapi.js';

/** What `FeatureFlagsAdminModule.forRoot` takes. */
export interface FeatureFlagsAdminOptions extends GuardedRoutesOptions {
  /** Where the routes are, within the app's prefix. @default 'admin/flags' */
  readonly path?: string;
  /** Name of the flags, where they are not the default ones. @default 'default' */
  readonly name?: string;
}

/**
 * Routes to show and change flags, and to read their history: `GET /admin/flags`, `GET`, `PUT`, `PATCH` and `DELETE /admin/flags/:flag`,
 * `GET /admin/flags/:flag/history`. There are none unless this is imported, and it cannot be imported without guards.
 */
@Module({})
export class FeatureFlagsAdminModule {
  /** @throws UnguardedAdminError without a guard */
  static forRoot(options: FeatureFlagsAdminOptions): DynamicModule {
    const { path = 'admin/flags', imports = [], name = 'default' } = options ?? {};
    const routes = guardedRoutes(FlagAdminController, path, options, problem => new UnguardedAdminError(problem));
    Reflect.defineMetadata(TAGS, ['Feature flags'], routes.controller);
    return {
      module: FeatureFlagsAdminModule,
      imports: [KernelModule, ...imports],
      controllers: [routes.controller],
      providers: [{ provide: ADMIN_FLAGS, useExisting: connectionToken('feature-flags', name) }, ...routes.providers],
    };
  }
}
