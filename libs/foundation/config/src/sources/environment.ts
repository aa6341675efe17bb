import type { AppInfo } from '@core-infra/kernel';
import type { EnvVariables } from './env.variables.js';
import { findSection, type TreeNode } from './tree.js';

export type KnownEnvironment = AppInfo['environment'];

export const environments = ['development', 'staging', 'production', 'test'] as const satisfies KnownEnvironment[];
/** Short names that are accepted. */
export const environmentSynonyms = { dev: 'development', prod: 'production' } as const;

/** Variables that name the environment. */
export const environmentVariables = ['NODE_ENV', 'ENVIRONMENT', 'APP_ENVIRONMENT'] as const;

/** Names of one environment's files, or of all environments. */
export function environmentSpellings(environment?: KnownEnvironment): string[] {
  const short = Object.entries(environmentSynonyms).filter(([, long]) => !environment || long === environment);
  return [...(environment ? [environment] : environments), ...short.map(([name]) => name)];
}

/**
 * The environment, which decides what files are read, so that it cannot come from one of them but `.env`.
 * An unknown word counts as development here, and is an error when the section `app` is read.
 */
export function pickEnvironment(given: string | undefined, flags: TreeNode, variables: EnvVariables): KnownEnvironment {
  const flag = findSection(flags, 'app.environment').at(-1)?.value;
  const variable = environmentVariables
    .flatMap(name => variables.get(name) ?? [])
    .filter(({ value }) => value !== '')
    .sort((a, b) => b.rank - a.rank)[0]?.value;
  const word = (given ?? (typeof flag === 'string' ? flag : variable) ?? 'development').trim().toLowerCase();
  const long = Object.entries(environmentSynonyms).find(([short]) => short === word)?.[1] ?? word;
  return environments.find(known => known === long) ?? 'development';
}
