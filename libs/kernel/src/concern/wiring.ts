import type { Module } from '@nestjs/core/injector/module.js';
import type { ModulesContainer } from '@nestjs/core';
import { BareImportError, DuplicateFeatureError } from '../errors/errors.js';
import { FeatureBinding, Registered } from './placement.js';

/** Set on the classes that `defineConcern` makes. */
export const CONCERN = Symbol('core-infra:concern');

/**
 * Refuses what Nest would accept in silence: a concern imported as a bare class, and two `forFeature` of one port in one module.
 * @throws BareImportError
 * @throws DuplicateFeatureError
 */
export function assertWiring(modules: ModulesContainer): void {
  for (const module of modules.values()) {
    const isConcern = CONCERN in module.metatype;
    if (isConcern && carried(module, Registered).length === 0) throw new BareImportError(module.name);
    const byPort = new Map<string, Set<string>>();
    for (const { port, name } of explicitImports(module).flatMap(imported => carried(imported, FeatureBinding))) {
      byPort.set(port, (byPort.get(port) ?? new Set()).add(name));
    }
    for (const [port, names] of byPort)
      if (names.size > 1) throw new DuplicateFeatureError(module.name, port, [...names]);
  }
}

/** Names of the modules that import the registration itself, rather than see it because it is global. */
export function importersOf(modules: ModulesContainer, registered: Registered): string[] {
  return [...modules.values()]
    .filter(module => explicitImports(module).some(imported => carried(imported, Registered).includes(registered)))
    .map(module => module.name);
}

/** Values of one of our carrier classes among a module's providers. */
function carried<T extends object>(module: Module, carrier: abstract new (...args: never[]) => T): T[] {
  return [...module.providers.values()]
    .map(({ instance }) => instance as unknown)
    .filter((instance): instance is T => instance instanceof carrier);
}

/** Nest adds global modules behind a module's own imports, its internal core module as the first of them. */
function explicitImports(module: Module): Module[] {
  const imports = [...module.imports];
  const firstGlobal = imports.findIndex(imported => imported.name === 'InternalCoreModule');
  return firstGlobal < 0 ? imports : imports.slice(0, firstGlobal);
}
