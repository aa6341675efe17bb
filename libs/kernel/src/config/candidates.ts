import type { ConfigProblem } from '../errors/errors.js';
import type { Compound, ConfigClass } from './field-decorators.js';
import { shapeOf } from './fields.js';
import { nearest } from './nearest.js';
import type { Unit } from './units.js';

/** A value that a source has for a field, before coercion. Later candidates of one path win over earlier ones. */
export interface Candidate {
  /** Path of a field within the section, e.g. `pool.max`. */
  readonly path: string;
  readonly value: unknown;
  /** For messages: `env DATABASE_POOL_MAX`, `config/default.yaml:12`, `code`. */
  readonly source: string;
  /** Unit of a bare number, where it is not the field's own. */
  readonly unit?: Unit;
  /** Never printed, whatever the field is: the value came out of a secret store or a secret's file. */
  readonly masked?: boolean;
}

/** Takes a tree of values apart into candidates; a key that no field has is a problem, with the nearest known name. */
export function candidatesOf(
  tree: object,
  section: string,
  Config: ConfigClass,
  source: string,
): { candidates: Candidate[]; problems: ConfigProblem[] } {
  const { fields, groups, compounds } = shapeOf(Config);
  const leaves = new Set(fields.map(field => field.path));
  const compoundKeys = new Map(compounds.flatMap(({ name, kind, parse }) => (kind === 'key' ? [[name, parse]] : [])));
  const parts: Candidate[] = [];
  const candidates: Candidate[] = [];
  const problems: ConfigProblem[] = [];
  const walk = (node: object, prefix: string) => {
    for (const [key, value] of Object.entries(node)) {
      if (value === undefined) continue;
      const path = prefix + key;
      const parse = compoundKeys.get(path);
      if (leaves.has(path)) candidates.push({ path, value, source });
      else if (parse) readParts(path, value, parse);
      else if (groups.has(path) && typeof value === 'object' && value !== null) walk(value as object, `${path}.`);
      else problems.push(unknownKey(section, path, leaves, source));
    }
  };
  const readParts = (key: string, value: unknown, parse: Compound['parse']) => {
    try {
      for (const [path, part] of Object.entries(parse(String(value)))) {
        if (part !== undefined) parts.push({ path, value: part, source: `${source} (${key})` });
      }
    } catch (error) {
      problems.push({ key: `${section}.${key}`, source, expected: (error as Error).message });
    }
  };
  walk(tree, '');
  for (const { path, value, source: from } of parts) {
    const other = candidates.find(candidate => candidate.path === path && String(candidate.value) !== String(value));
    if (other)
      problems.push({
        key: `${section}.${path}`,
        source,
        expected: `one value, and ${from} says another than ${path} itself`,
      });
  }
  return { candidates: [...parts, ...candidates], problems };
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
