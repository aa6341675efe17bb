import { type ConfigField, type ConfigShape, envName, type Unit } from '@core-infra/kernel';

/** A spelling of a field in the environment. */
export interface EnvSpelling {
  /** Variables that are added up where there are several. */
  readonly names: readonly string[];
  readonly unit?: Unit;
}

/** The beginning that a section's own variables share: `DATABASE_`, `REDIS__SESSIONS__`. */
export function envPrefix(section: string): string {
  return envName(section, '');
}

/**
 * A variable's name for the section of a named connection: `REDIS_ADDR` is `REDIS__SESSIONS__ADDR`, `POSTGRES_DSN` is `POSTGRES__AUDIT__DSN`.
 * For any other section it is the name itself.
 */
export function namedAlias(section: string, alias: string): string {
  const [concern, connection] = section.split('.connections.');
  if (connection === undefined) return alias;
  const own = envPrefix(concern!);
  const infix = envPrefix(`x.connections.${connection}`).slice(1);
  const cut = alias.startsWith(own) ? own.length : alias.indexOf('_') + 1;
  return cut === 0 ? alias + infix.slice(0, -2) : alias.slice(0, cut - 1) + infix + alias.slice(cut);
}

/** Every way to set a field from the environment, its own name first. */
export function envSpellings(section: string, field: ConfigField): EnvSpelling[] {
  return [
    { names: [envName(section, field.path)] },
    ...field.env.map(({ names, unit }) => ({ names: names.map(name => namedAlias(section, name)), unit })),
  ];
}

/** Every variable that a class reads for a section. */
export function knownVariables(section: string, { fields, compounds, ignored }: ConfigShape): string[] {
  return [
    ...fields.flatMap(field => envSpellings(section, field).flatMap(({ names }) => names)),
    ...[...compounds, ...ignored].filter(({ kind }) => kind === 'env').map(({ name }) => namedAlias(section, name)),
  ];
}
