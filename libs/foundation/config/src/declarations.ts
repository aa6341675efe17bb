import type { ModulesContainer } from '@nestjs/core';
import { type ConfigClass, SectionDeclaration } from '@core-infra/kernel';
import type { DeclaredSections } from './sections/unknown-keys.js';

/** Every section that some module of the app reads. They are values, so they are there before anything is instantiated. */
export function findDeclarations(modules: ModulesContainer): SectionDeclaration[] {
  return findValues(modules, SectionDeclaration);
}

/** The values of one class among all providers of an app. */
export function findValues<T extends object>(
  modules: ModulesContainer,
  type: abstract new (...args: never[]) => T,
): T[] {
  return [...modules.values()]
    .flatMap(module => [...module.providers.values()])
    .map(({ instance }) => instance as unknown)
    .filter((instance): instance is T => instance instanceof type);
}

/** The declarations' classes by section, each class once. */
export function groupBySection(declarations: readonly SectionDeclaration[]): DeclaredSections {
  const classes = new Map<string, Set<ConfigClass>>();
  for (const { section, Config } of declarations) classes.set(section, (classes.get(section) ?? new Set()).add(Config));
  return new Map([...classes].map(([section, set]) => [section, [...set]]));
}
