import {
  type Candidate,
  coerce,
  CoercionFailure,
  type ConfigClass,
  type ConfigField,
  type ConfigProblem,
  shapeOf,
} from '@core-infra/kernel';
import type { EnvVariables } from '../sources/env.variables.js';
import { type EnvSpelling, envSpellings, namedAlias } from './env-names.js';
import { type LayerReading, settle, takeApart } from './occurrence.js';
import type { References } from './references.js';

interface Ranked {
  readonly rank: number;
  readonly candidate: Candidate;
}

/** Reads a class's fields from the environment: by their own names, aliases, sums, and variables that carry several fields. */
export function readEnvironment(
  variables: EnvVariables,
  section: string,
  Config: ConfigClass,
  references: References,
): LayerReading {
  const shape = shapeOf(Config);
  const found: Ranked[] = [];
  const problems: ConfigProblem[] = [];
  for (const field of shape.fields) {
    for (const spelling of envSpellings(section, field)) found.push(...readSpelling(variables, field, spelling));
  }
  for (const compound of shape.compounds) {
    const variable = compound.kind === 'env' ? variables.get(namedAlias(section, compound.name)) : undefined;
    if (!variable || variable.value === '') continue;
    const parts = takeApart(section, shape, compound, variable, references);
    found.push(...parts.occurrences.map(candidate => ({ rank: variable.rank, candidate })));
    problems.push(...parts.problems);
  }
  const notices = shape.ignored.flatMap(({ name, kind, reason }) => {
    const variable = kind === 'env' ? variables.get(namedAlias(section, name)) : undefined;
    return variable ? [`${variable.source.replace(/^env /, '')} has no effect: ${reason}`] : [];
  });
  const settled = settle(section, shape, highest(found));
  return { candidates: settled.candidates, problems: [...problems, ...settled.problems], notices };
}

function readSpelling(variables: EnvVariables, field: ConfigField, { names, unit }: EnvSpelling): Ranked[] {
  const set = names.flatMap(name => variables.get(name) ?? []).filter(({ value }) => !isUnset(value, field));
  const [first] = set;
  if (!first) return [];
  const rank = Math.max(...set.map(variable => variable.rank));
  const source = set.map(variable => variable.source).join(' + ');
  if (names.length === 1) return [{ rank, candidate: { path: field.path, value: first.value, source, unit } }];

  const amounts = set.map(({ value }) => coerce(value, field, unit));
  const wrong = amounts.findIndex(amount => amount instanceof CoercionFailure);
  if (wrong >= 0)
    return [{ rank, candidate: { path: field.path, value: set[wrong]!.value, source: set[wrong]!.source, unit } }];
  const base = variables.has(names[0]!) ? 0 : Number(field.default ?? 0); // an overflow alone comes on top of the default
  const value = amounts.reduce<number>((sum, amount) => sum + Number(amount), base);
  return [{ rank, candidate: { path: field.path, value, source } }];
}

/** `DATABASE_PORT=` says nothing; `DATABASE_PASSWORD=` and `DOCS_URL=` say "empty". */
function isUnset(value: string, { kind, choices }: ConfigField): boolean {
  if (value !== '') return false;
  return kind === 'string' ? choices !== undefined && !choices.includes('') : kind !== 'list';
}

/** For each field what stands highest: the real environment hides every spelling in a `.env` file. */
function highest(found: readonly Ranked[]): Candidate[] {
  const top = new Map<string, number>();
  for (const { rank, candidate } of found) top.set(candidate.path, Math.max(rank, top.get(candidate.path) ?? -1));
  return found.filter(({ rank, candidate }) => top.get(candidate.path) === rank).map(({ candidate }) => candidate);
}
