import {
  assemble,
  type Assembled,
  type Candidate,
  candidatesOf,
  type ConfigClass,
  type ConfigProblem,
  shapeOf,
} from '@core-infra/kernel';
import type { Sources } from '../sources/load-sources.js';
import { readEnvironment } from './read-environment.js';
import { readTree } from './read-tree.js';
import type { References } from './references.js';

/** A section as the sources have it. */
export interface SectionReading<C extends object> extends Assembled<C> {
  /** Settings that were accepted and do nothing, each with its reason. */
  readonly notices: readonly string[];
  /** Paths of fields whose values came out of references and are never printed. */
  readonly masked: ReadonlySet<string>;
  /** Paths of fields that wait for a secret, in a command that connects to nothing. */
  readonly pending: ReadonlyMap<string, string>;
}

export interface SectionRequest<C extends object> {
  readonly section: string;
  readonly Config: ConfigClass<C>;
  /** Values given in code; `undefined` when a factory gives them later, and then what is missing is no problem yet. */
  readonly given: object | undefined;
  /** Values below every source, e.g. those of package.json. */
  readonly fallback?: readonly Candidate[];
}

/** Reads one section from all sources: files, environment, flags, code; then follows references, coerces and validates. */
export function readSection<C extends object>(
  sources: Sources,
  references: References,
  { section, Config, given, fallback = [] }: SectionRequest<C>,
): SectionReading<C> {
  const layers = [
    ...sources.files.map(file => readTree(file, section, Config, references)),
    readEnvironment(sources.variables, section, Config, references),
    readTree(sources.flags, section, Config, references),
  ];
  const own = followCompounds(given ?? {}, section, Config, references);
  const code = candidatesOf(own.given, section, Config, 'code');
  const candidates = [...fallback, ...layers.flatMap(layer => layer.candidates), ...code.candidates];
  const winners = [...new Map(candidates.map(candidate => [candidate.path, candidate])).values()];
  const resolved = winners.map(candidate => followed(candidate, section, references));
  const pending = new Map(resolved.flatMap(({ wait }) => (wait ? [wait] : [])));
  const unresolved = new Set(resolved.flatMap(({ candidate, path }) => (candidate ? [] : [path])));
  const assembled = assemble(
    section,
    Config,
    resolved.flatMap(({ candidate }) => candidate ?? []),
    { partial: given === undefined || unresolved.size > 0 },
  );
  const problems: ConfigProblem[] = [
    ...layers.flatMap(layer => layer.problems),
    ...own.problems,
    ...code.problems,
    ...resolved.flatMap(one => one.problems),
    ...assembled.problems.filter(({ key }) => !unresolved.has(key.slice(section.length + 1))),
  ];
  return {
    ...assembled,
    problems,
    notices: layers.flatMap(layer => layer.notices),
    masked: new Set(resolved.flatMap(({ candidate }) => (candidate?.masked ? [candidate.path] : []))),
    pending,
  };
}

/** References in what code gives for a key that carries several fields, which have to be followed before it is taken apart. */
function followCompounds(
  given: object,
  section: string,
  Config: ConfigClass,
  references: References,
): { given: object; problems: ConfigProblem[] } {
  const copy = { ...given } as Record<string, unknown>;
  const problems: ConfigProblem[] = [];
  for (const { name, kind } of shapeOf(Config).compounds) {
    if (kind !== 'key' || typeof copy[name] !== 'string') continue;
    const { value, masked } = references.follow(copy[name], 'code');
    if (!masked) continue;
    if (value === undefined) problems.push(...references.problemsOf(copy[name], `${section}.${name}`, 'code'));
    copy[name] = value;
  }
  return { given: copy, problems };
}

function followed(
  candidate: Candidate,
  section: string,
  references: References,
): { path: string; candidate?: Candidate; problems: ConfigProblem[]; wait?: [path: string, reference: string] } {
  const { path } = candidate;
  const { value, source, masked } = references.follow(candidate.value, candidate.source);
  if (value !== undefined || !masked) {
    return { path, candidate: masked ? { ...candidate, value, source, masked } : candidate, problems: [] };
  }
  const key = `${section}.${path}`;
  return references.isPending(candidate.value)
    ? { path, problems: [], wait: [path, source] }
    : { path, problems: references.problemsOf(candidate.value, key, candidate.source) };
}
