import {
  type CanActivate,
  Controller,
  type DynamicModule,
  Injectable,
  Module,
  type ModuleMetadata,
  type OnModuleInit,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { connectionToken, KernelModule } from '@core-infra/kernel';
import { UnguardedMessagingAdminError } from './errors.js';
import { ADMIN_BUS, MessagingAdminController } from './messaging-admin.controller.js';

/** What `MessagingAdminModule.forRoot` takes. */
export interface MessagingAdminOptions {
  /**
   * What lets administrators in and nobody else; all of them must agree. `'global'` says that an `APP_GUARD` of the app guards these
   * routes; the boot fails if there is none.
   */
  readonly guards: readonly (Type<CanActivate> | CanActivate)[] | 'global';
  /** Where the routes are, within the app's prefix. @default 'admin/messaging' */
  readonly path?: string;
  /** Modules whose providers the guards need, unless they are global. */
  readonly imports?: ModuleMetadata['imports'];
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
    // Whoever writes JavaScript may leave them out.
    const guards: MessagingAdminOptions['guards'] = (options as MessagingAdminOptions | undefined)?.guards ?? [];
    if (guards.length === 0) throw new UnguardedMessagingAdminError('has no guards');
    const { path = 'admin/messaging', imports = [], name = 'default' } = options;
    return {
      module: MessagingAdminModule,
      imports: [KernelModule, ...imports],
      controllers: [mounted(path, guards === 'global' ? [] : guards)],
      providers: [
        { provide: ADMIN_BUS, useExisting: connectionToken('messaging', name) },
        ...(guards === 'global' ? [GlobalGuardCheck] : []),
      ],
    };
  }
}

/** A class for each mounting: two apps of one process, or two buses, have paths and guards of their own. */
function mounted(path: string, guards: readonly (Type<CanActivate> | CanActivate)[]): Type<MessagingAdminController> {
  class MountedMessagingAdminController extends MessagingAdminController {}
  Controller(path)(MountedMessagingAdminController);
  if (guards.length > 0) UseGuards(...guards)(MountedMessagingAdminController);
  return MountedMessagingAdminController;
}

/** Who says that a global guard is there is taken at their word only if it is. */
@Injectable()
class GlobalGuardCheck implements OnModuleInit {
  constructor(private readonly modules: ModulesContainer) {}

  onModuleInit(): void {
    const guarded = [...this.modules.values()].some(module =>
      [...module.providers.values(), ...module.injectables.values()].some(({ subtype }) => subtype === 'guard'),
    );
    if (!guarded) throw new UnguardedMessagingAdminError("says guards: 'global', and the app has no APP_GUARD");
  }
}
