import { ConfigError } from '../errors/errors.js';
import { assemble } from './assemble.js';
import { candidatesOf } from './candidates.js';
import type { ConfigSource } from './config-source.js';
import type { ConfigClass } from './field-decorators.js';

/** What may be given in code: any part of the configuration, nested classes included. */
export type ConfigInput<C> = { [K in keyof C]?: FieldInput<C[K]> };

/** Distributes over unions, so that a group which may be left out can be given in part as well. */
type FieldInput<V> = V extends ((...args: never[]) => unknown) | readonly unknown[] | Record<string, string>
  ? V
  : V extends object
    ? ConfigInput<V>
    : V;

/** Asks for a section of the configuration as an instance of its class. */
export interface ConfigRequest<C extends object> {
  /** E.g. `database`, `redis.connections.sessions`. */
  readonly section: string;
  readonly Config: ConfigClass<C>;
  /** Values given in code; they win over every source. */
  readonly given?: object;
}

/**
 * The one way from a configuration class to an instance: the app's {@link ConfigSource} where there is one, else defaults and what is given in code.
 * @throws ConfigError with every problem of the section
 */
export function resolveConfig<C extends object>(request: ConfigRequest<C>, source?: ConfigSource): C {
  if (source) return source.resolve(request);
  const { candidates, problems } = candidatesOf(request.given ?? {}, request.section, request.Config, 'code');
  const assembled = assemble(request.section, request.Config, candidates);
  const all = [...problems, ...assembled.problems];
  if (all.length > 0) throw new ConfigError(all);
  return assembled.config;
}
