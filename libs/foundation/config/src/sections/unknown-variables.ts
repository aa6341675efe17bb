import { type ConfigProblem, nearest, shapeOf } from '@core-infra/kernel';
import type { EnvVariables } from '../sources/env.variables.js';
import { envPrefix, knownVariables } from './env-names.js';
import type { DeclaredSections } from './unknown-keys.js';

/** One warning for each variable that looks like a slip: it begins like a section's and is close to a name that is read. Others are none of our business. */
export function findMistypedVariables(variables: EnvVariables, declared: DeclaredSections): string[] {
  const sections = [...declared].map(([section, classes]) => ({
    prefix: envPrefix(section),
    known: classes.flatMap(Config => knownVariables(section, shapeOf(Config))),
  }));
  const read = new Set(sections.flatMap(({ known }) => known));
  return [...variables].flatMap(([name, { source }]) => {
    if (read.has(name)) return [];
    const meant = meantField(name, sections) ?? meantConnection(name, sections);
    return meant ? [`${source.replace(/^env /, '')} is not read. Did you mean ${meant}?`] : [];
  });
}

interface SectionVariables {
  readonly prefix: string;
  readonly known: readonly string[];
}

/** `DATABASE_HSOT`: what stands behind the prefix is nearly a field. */
function meantField(name: string, sections: readonly SectionVariables[]): string | undefined {
  for (const { prefix, known } of sections.filter(section => name.startsWith(section.prefix))) {
    const rest = name.slice(prefix.length);
    const candidates = known.filter(other => other.startsWith(prefix)).map(other => other.slice(prefix.length));
    const close = nearest(rest, candidates, rest.length <= 3 ? 1 : 2);
    if (close) return prefix + close;
  }
  return undefined;
}

/** `DATABASE__AUDTI__HOST`: the connection's name is nearly one that is registered. */
function meantConnection(name: string, sections: readonly SectionVariables[]): string | undefined {
  const concern = /^[A-Z\d]+(?:_[A-Z\d]+)*__(?=.)/.exec(name)?.[0];
  if (concern === undefined) return undefined;
  return nearest(
    name,
    sections.flatMap(({ known }) => known).filter(other => other.startsWith(concern)),
    2,
  );
}

/** Variables that try to reach into prototypes: `__proto__` itself, or as a part of a section's variable. */
export function findReservedVariables(variables: EnvVariables, declared: DeclaredSections): ConfigProblem[] {
  const prefixes = [...declared.keys()].map(envPrefix);
  return [...variables]
    .filter(
      ([name]) =>
        name === '__proto__' ||
        (/__PROTO__|__(CONSTRUCTOR|PROTOTYPE)__/i.test(name) && prefixes.some(prefix => name.startsWith(prefix))),
    )
    .map(([name, { source }]) => ({
      key: name,
      source,
      expected: 'a name that is not reserved by JavaScript',
      got: name,
    }));
}
