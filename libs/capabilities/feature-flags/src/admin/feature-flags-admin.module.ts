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
import { UnguardedAdminError } from './errors.js';
import { ADMIN_FLAGS, FlagAdminController } from './flag-admin.controller.js';
import { TAGS } from './openapi.js';

/** What `FeatureFlagsAdminModule.forRoot` takes. */
export interface FeatureFlagsAdminOptions {
  /**
   * What lets administrators in and nobody else; all of them must agree. `'global'` says that an `APP_GUARD` of the app guards these
   * routes; the boot fails if there is none.
   */
  readonly guards: readonly (Type<CanActivate> | CanActivate)[] | 'global';
  /** Where the routes are, within the app's prefix. @default 'admin/flags' */
  readonly path?: string;
  /** Modules whose providers the guards need, unless they are global. */
  readonly imports?: ModuleMetadata['imports'];
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
    // Whoever writes JavaScript may leave them out.
    const guards: FeatureFlagsAdminOptions['guards'] = (options as FeatureFlagsAdminOptions | undefined)?.guards ?? [];
    if (guards.length === 0) throw new UnguardedAdminError('has no guards');
    const { path = 'admin/flags', imports = [], name = 'default' } = options;
    return {
      module: FeatureFlagsAdminModule,
      imports: [KernelModule, ...imports],
      controllers: [mounted(path, guards === 'global' ? [] : guards)],
      providers: [
        { provide: ADMIN_FLAGS, useExisting: connectionToken('feature-flags', name) },
        ...(guards === 'global' ? [GlobalGuardCheck] : []),
      ],
    };
  }
}

/** A class for each mounting: two apps of one process, or two sets of flags, have paths and guards of their own. */
function mounted(path: string, guards: readonly (Type<CanActivate> | CanActivate)[]): Type<FlagAdminController> {
  class MountedFlagAdminController extends FlagAdminController {}
  Controller(path)(MountedFlagAdminController);
  Reflect.defineMetadata(TAGS, ['Feature flags'], MountedFlagAdminController);
  if (guards.length > 0) UseGuards(...guards)(MountedFlagAdminController);
  return MountedFlagAdminController;
}

/** Who says that a global guard is there is taken at their word only if it is. */
@Injectable()
class GlobalGuardCheck implements OnModuleInit {
  constructor(private readonly modules: ModulesContainer) {}

  onModuleInit(): void {
    const guarded = [...this.modules.values()].some(module =>
      [...module.providers.values(), ...module.injectables.values()].some(({ subtype }) => subtype === 'guard'),
    );
    if (!guarded) throw new UnguardedAdminError("says guards: 'global', and the app has no APP_GUARD");
  }
}
