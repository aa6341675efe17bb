import { connectionToken, guardedRoutes, type GuardedRoutesOptions, KernelModule } from '@core-infra/kernel';
import { type DynamicModule, Module } from '@nestjs/common';
import { UnguardedMessagingAdminError } from './errors.js';
import { ADMIN_BUS, MessagingAdminController } from './messaging-admin.controller.js';

/** What `MessagingAdminModule.forRoot` takes. */
export interface MessagingAdminOptions extends GuardedRoutesOptions {
  /** Where the routes are, within the app's prefix. @default 'admin/messaging' */
  readonly path?: string;
  /** Name of the bus, where it is not the default one. @default 'default' */
  readonly name?: string;
}

/**
 * Routes to show, replay and discard dead letters, and to see what waits: `GET /admin/messaging/dead-letters`, `GET …/dead-letters/:id`,
 * `POST …/dead-letters/replay`, `POST …/dead-letters/discard`, `GET /admin/messaging/backlog`. There are none unless this is imported, and it
 * cannot be imported without guards.
 */
@Module({})
export class MessagingAdminModule {
  /** @throws UnguardedMessagingAdminError without a guard */
  static forRoot(options: MessagingAdminOptions): DynamicModule {
    const { path = 'admin/messaging', imports = [], name = 'default' } = options ?? {};
    const routes = guardedRoutes(
      MessagingAdminController,
      path,
      options,
      problem => new UnguardedMessagingAdminError(problem),
    );
    return {
      module: MessagingAdminModule,
      imports: [KernelModule, ...imports],
      controllers: [routes.controller],
      providers: [{ provide: ADMIN_BUS, useExisting: connectionToken('messaging', name) }, ...routes.providers],
    };
  }
}
