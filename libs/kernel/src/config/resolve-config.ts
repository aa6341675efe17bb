import { validateSync } from 'class-validator';
import { ConfigError, type ConfigProblem } from '../errors/errors.js';
import { coerce, CoercionFailure } from './coerce.js';
import type { ConfigSource } from './config-source.js';
import { envName } from './env-name.js';
import type { ConfigClass } from './field-decorators.js';
import { type ConfigField, shapeOf } from './fields.js';
import { nearest } from './nearest.js';
import type { Unit } from './units.js';

/** What may be given in code: any part of the configuration, nested classes included. */
export type ConfigInput<C> = {
  [K in keyof C]?: C[K] extends (...args: never[]) => unknown
    ? C[K]
    : C[K] extends readonly unknown[] | Record<string, string> | undefined
      ? C[K]
      : C[K] extends object
        ? ConfigInput<C[K]>
        : C[K];
};

/** Asks for a section of the configuration as an instance of its class. */
export interface ConfigRequest<C extends object> {
  /** E.g. `database`, `redis.connections.sessions`. */
  readonly section: string;
  readonly Config: ConfigClass<C>;
  /** Values given in code; they win over every source. */
  readonly given?: object;
}

/** A value that a source has for a field, before coercion. Later candidates of one path win over earlier ones. */
export interface Candidate {
  /** Path of a field within the section, e.g. `pool.max`. */
  readonly path: string;
  readonly value: unknown;
  /** For messages: `env DATABASE_POOL_MAX`, `config/default.yaml:12`, `code`. */
  readonly source: string;
  /** Unit of a bare number, where it is not the field's own. */
  readonly unit?: Unit;
}

/** A validated section, or what is wrong with it. */
export interface Assembled<C> {
  readonly config: C;
  readonly problems: readonly ConfigProblem[];
  /** Source of each field's value, by path; a field that is not listed has its default. */
  readonly sources: ReadonlyMap<string, string>;
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

/** Takes a tree of values apart into candidates; a key that no field has is a problem, with the nearest known name. */
export function candidatesOf(
  tree: object,
  section: string,
  Config: ConfigClass,
  source: string,
): { candidates: Candidate[]; problems: ConfigProblem[] } {
  const { fields } = shapeOf(Config);
  const leaves = new Map(fields.map(field => [field.path, field]));
  const groups = new Set(
    fields.flatMap(field => field.path.split('.').map((_, index, parts) => parts.slice(0, index).join('.'))),
  );
  const candidates: Candidate[] = [];
  const problems: ConfigProblem[] = [];
  const walk = (node: object, prefix: string) => {
    for (const [key, value] of Object.entries(node)) {
      if (value === undefined) continue;
      const path = prefix + key;
      if (leaves.has(path)) candidates.push({ path, value, source });
      else if (groups.has(path) && typeof value === 'object' && value !== null) walk(value as object, `${path}.`);
      else problems.push(unknownKey(section, path, leaves.keys(), source));
    }
  };
  walk(tree, '');
  return { candidates, problems };
}

/** The problem of a key that no field has. */
export function unknownKey(section: string, path: string, known: Iterable<string>, source: string): ConfigProblem {
  const close = nearest(path, known);
  return {
    key: `${section}.${path}`,
    source,
    expected: close ? `a known key (did you mean ${section}.${close}?)` : 'a known key',
  };
}

/** Coerces, sets and validates; the result is deeply frozen. Nothing is thrown: problems are returned, all of them. */
export function assemble<C extends object>(
  section: string,
  Config: ConfigClass<C>,
  candidates: readonly Candidate[],
): Assembled<C> {
  const { fields } = shapeOf(Config);
  const winners = new Map(candidates.map(candidate => [candidate.path, candidate]));
  const config = new Config();
  const problems: ConfigProblem[] = [];
  const failed = new Set<string>();
  for (const field of fields) {
    const winner = winners.get(field.path);
    if (!winner) continue;
    const value = coerce(winner.value, field, winner.unit);
    if (value instanceof CoercionFailure) {
      failed.add(field.path);
      problems.push(problem(section, field, winner, value.expected));
    } else write(config, field.path, value);
  }
  for (const { path, expected } of violations(config, '')) {
    const field = fields.find(candidate => candidate.path === path);
    if (field && !failed.has(path))
      problems.push(problem(section, field, winners.get(path), expected, read(config, path)));
  }
  if (problems.length === 0) {
    for (const { path, expected } of crossChecks(Config, config))
      problems.push({ key: `${section}.${path}`, source: winners.get(path)?.source, expected });
  }
  return {
    config: deepFreeze(config),
    problems,
    sources: new Map([...winners].map(([path, { source }]) => [path, source])),
  };
}

/** Rules between fields: a config class may have `static check(config)`, which yields what it expected of which field. */
export interface CrossChecked<C> {
  check(config: C): Iterable<{ path: string; expected: string }>;
}

function crossChecks<C extends object>(
  Config: ConfigClass<C>,
  config: C,
): Iterable<{ path: string; expected: string }> {
  const { check } = Config as Partial<CrossChecked<C>>;
  return check ? check.call(Config, config) : [];
}

function problem(
  section: string,
  field: ConfigField,
  winner: Candidate | undefined,
  expected: string,
  value: unknown = winner?.value,
): ConfigProblem {
  return {
    key: `${section}.${field.path}`,
    env: envName(section, field.path),
    source: winner?.source ?? 'default',
    expected,
    got: value === undefined ? 'nothing' : field.secret ? '****' : printable(value),
  };
}

function printable(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function* violations(node: object, prefix: string): Generator<{ path: string; expected: string }> {
  for (const error of validateSync(node, { forbidUnknownValues: false })) {
    const messages = Object.values(error.constraints ?? {}).map(message =>
      message.replace(new RegExp(`^(each value in )?${error.property} (?:must |should )?(not )?(?:be )?`), '$1$2'),
    );
    if (messages.length > 0) yield { path: prefix + error.property, expected: messages.join(' and ') };
  }
  for (const [key, value] of Object.entries(node)) {
    if (
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.getPrototypeOf(value) !== Object.prototype
    ) {
      yield* violations(value as object, `${prefix}${key}.`);
    }
  }
}

function read(node: object, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], node);
}

function write(node: object, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop()!;
  (keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], node) as Record<string, unknown>)[last] =
    value;
}

function deepFreeze<T extends object>(node: T): T {
  for (const value of Object.values(node)) {
    const freezable = typeof value === 'object' && value !== null && !Object.isFrozen(value);
    const plain = freezable && (Array.isArray(value) || isConfigOrRecord(value as object));
    if (plain) deepFreeze(value as object);
  }
  return Object.freeze(node);
}

/** Buffers, sockets, TLS contexts and other objects with a life of their own stay as they are. */
function isConfigOrRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || shapeOfInstance(value);
}

function shapeOfInstance(value: object): boolean {
  const own = (value as { constructor?: unknown }).constructor;
  return (
    typeof own === 'function' &&
    own.length === 0 &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Map) &&
    !(value instanceof Set)
  );
}
