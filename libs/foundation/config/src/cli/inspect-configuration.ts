import type { ModulesContainer } from '@nestjs/core';
import { GivenOptions } from '../config.module.js';
import { Configuration } from '../configuration.js';
import { findDeclarations, findValues, groupBySection } from '../declarations.js';
import { loadSources } from '../sources/load-sources.js';
import type { DeclaredSections } from '../sections/unknown-keys.js';

/** The configuration of an app whose modules are known and of which nothing is instantiated: no connection, no secret store. */
export interface InspectedConfiguration extends ReturnType<Configuration['inspect']> {
  readonly declared: DeclaredSections;
  /** What this reading cannot know, in sentences. */
  readonly remarks: readonly string[];
}

/** Reads every section of an app without booting it. */
export async function inspectConfiguration(modules: ModulesContainer): Promise<InspectedConfiguration> {
  const [given] = findValues(modules, GivenOptions);
  const options = given?.options ?? {};
  const declarations = findDeclarations(modules);
  // The command line is the command's own, not the app's.
  const sources = loadSources({ ...options, argv: options.argv ?? [] });
  const configuration = await Configuration.of(sources, declarations, options, 'offline');
  const inspected = configuration.inspect(declarations);

  const factories = new Set(
    declarations.filter(declaration => declaration.given === undefined).map(({ section }) => section),
  );
  const pending = inspected.readings.flatMap(({ section, reading }) =>
    [...reading.pending.keys()].map(path => `${section}.${path}`),
  );
  const remarks = [
    ...(given
      ? []
      : ['The app imports no ConfigModule: sections are shown as one with default options would read them.']),
    ...(given && !given.options
      ? ["ConfigModule's options come from a factory, which was not run: the defaults are taken for them."]
      : []),
    ...(factories.size > 0
      ? [`Values that code or a factory gives when the app boots are not seen here, in: ${[...factories].join(', ')}.`]
      : []),
    ...(pending.length > 0 ? [`Not checked, as the secret store was not asked: ${pending.join(', ')}.`] : []),
  ];
  return { ...inspected, declared: groupBySection(declarations), remarks };
}
