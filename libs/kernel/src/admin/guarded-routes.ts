import { type CanActivate, Controller, type ModuleMetadata, type Provider, type Type, UseGuards } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { InfraError } from '../errors/infra-error.js';

/** What the `forRoot` of every module takes that brings routes for administrators. */
export interface GuardedRoutesOptions {
  /**
   * What lets administrators in and nobody else; all of them must agree. `'global'` says that an `APP_GUARD` of the app guards these
   * routes; the boot fails if there is none.
   */
  readonly guards: readonly (Type<CanActivate> | CanActivate)[] | 'global';
  /** Modules whose providers the guards need, unless they are global. */
  readonly imports?: ModuleMetadata['imports'];
}

/**
 * A controller whose routes nobody reaches unguarded, and what its module needs beside it.
 * @param refuse makes the error of a mounting without a guard, of what is wrong with it: `has no guards`
 */
export function guardedRoutes<C>(
  controller: Type<C>,
  path: string,
  options: GuardedRoutesOptions | undefined,
  refuse: (problem: string) => InfraError,
): { readonly controller: Type<C>; readonly providers: Provider[] } {
  // Whoever writes JavaScript may leave them out.
  const guards = options?.guards ?? [];
  if (guards.length === 0) throw refuse('has no guards');
  if (guards === 'global') return { controller: mounted(controller, path, []), providers: [globalGuardCheck(refuse)] };
  return { controller: mounted(controller, path, guards), providers: [] };
}

/** A class for each mounting: two apps of one process, or two connections, have paths and guards of their own. */
function mounted<C>(controller: Type<C>, path: string, guards: readonly (Type<CanActivate> | CanActivate)[]): Type<C> {
  const Mounted = { [`Mounted${controller.name}`]: class extends (controller as Type) {} }[
    `Mounted${controller.name}`
  ]!;
  Controller(path)(Mounted);
  if (guards.length > 0) UseGuards(...guards)(Mounted);
  return Mounted as Type<C>;
}

/** Who says that a global guard is there is taken at their word only if it is. */
function globalGuardCheck(refuse: (problem: string) => InfraError): Provider {
  return {
    provide: Symbol('global guard'),
    inject: [ModulesContainer],
    useFactory: (modules: ModulesContainer) => ({
      onModuleInit() {
        const guarded = [...modules.values()].some(module =>
          [...module.providers.values(), ...module.injectables.values()].some(({ subtype }) => subtype === 'guard'),
        );
        if (!guarded) throw refuse("says guards: 'global', and the app has no APP_GUARD");
      },
    }),
  };
}
