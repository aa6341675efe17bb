import { validateSync } from 'class-validator';
import type { ConfigProblem } from '../errors/errors.js';
import { withoutCredentials } from '../errors/without-credentials.js';
import type { Candidate } from './candidates.js';
import { coerce, CoercionFailure } from './coerce.js';
import { envName } from './env-name.js';
import type { ConfigClass } from './field-decorators.js';
import { type ConfigField, type ConfigShape, shapeOf } from './fields.js';
import { copyPlain, freezeConfig } from './freeze.js';
import { hideSecrets } from './hide-secrets.js';

/** A validated section, or what is wrong with it. */
export interface Assembled<C> {
  readonly config: C;
  readonly problems: readonly ConfigProblem[];
  /** Source of each field's value, by path; a field that is not listed has its default. */
  readonly sources: ReadonlyMap<string, string>;
}

export interface AssembleOptions {
  /** More values will come from code: what is missing is no problem yet, and rules between fields wait. @default false */
  readonly partial?: boolean;
}

/** Coerces, sets and validates; the result is deeply frozen. Nothing is thrown: problems are returned, all of them. */
export function assemble<C extends object>(
  section: string,
  Config: ConfigClass<C>,
  candidates: readonly Candidate[],
  { partial = false }: AssembleOptions = {},
): Assembled<C> {
  const shape = shapeOf(Config);
  const winners = new Map(candidates.map(candidate => [candidate.path, candidate]));
  const config = new Config();
  const problems: ConfigProblem[] = [];
  const failed = new Set<string>();
  for (const field of shape.fields) {
    const winner = winners.get(field.path);
    if (!winner) continue;
    const value = coerce(winner.value, field, winner.unit);
    if (value instanceof CoercionFailure) {
      failed.add(field.path);
      problems.push(problem(section, field, winner, value.expected));
    } else write(config, field.path, copyPlain(value), shape);
  }
  for (const { path, expected } of violations(config, '')) {
    const field = shape.fields.find(candidate => candidate.path === path);
    const value = read(config, path);
    if (failed.has(path) || (partial && value === undefined && !winners.has(path))) continue;
    problems.push(
      field ? problem(section, field, winners.get(path), expected, value) : { key: `${section}.${path}`, expected },
    );
  }
  if (problems.length === 0 && !partial) {
    for (const { path, expected } of crossChecks(Config, config))
      problems.push({ key: `${section}.${path}`, source: winners.get(path)?.source, expected });
  }
  return {
    config: freezeConfig(hideSecrets(config, shape), shape),
    problems,
    sources: new Map([...winners].map(([path, { source }]) => [path, source])),
  };
}

/** Rules between fields: a config class may have `static check(config)`, which yields what it expected of which field. */
export interface CrossChecked<C> {
  check(config: C): Iterable<{ path: string; expected: string }>;
}

/** What the class's rules between fields have against these values. */
export function crossChecks<C extends object>(
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
    got: value === undefined ? 'nothing' : field.secret || winner?.masked ? '****' : printable(value),
  };
}

/** A value as it appears in messages: JSON, at most 80 characters, the credentials of addresses in it masked. */
export function printable(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : withoutCredentials(JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function* violations(node: object, prefix: string): Generator<{ path: string; expected: string }> {
  for (const error of validateSync(node, { forbidUnknownValues: false })) {
    const messages = Object.values(error.constraints ?? {}).map(message => asExpectation(message, error.property));
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

/** `ttlMs must not be less than 1` → `not less than 1`. */
function asExpectation(message: string, property: string): string {
  const [, each = '', rest = message] = /^(each value in )?(.*)$/s.exec(message) ?? [];
  if (!rest.startsWith(`${property} `)) return message;
  return each + rest.slice(property.length + 1).replace(/^(must|should) (not )?(be )?/, '$2');
}

function read(node: object, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], node);
}

/** A group without an initialiser comes into being with the first value that is set in it. */
function write(node: object, path: string, value: unknown, { groups }: ConfigShape): void {
  const keys = path.split('.');
  const last = keys.pop()!;
  let at = node as Record<string, unknown>;
  for (const [depth, key] of keys.entries()) {
    const group = groups.get(keys.slice(0, depth + 1).join('.'))!;
    at = (at[key] ??= new group()) as Record<string, unknown>;
  }
  at[last] = value;
}
