import type { ConfigProblem } from '../errors/errors.js';
import type { ConfigClass } from './field-decorators.js';
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
  const { fields, groups } = shapeOf(Config);
  const leaves = new Set(fields.map(field => field.path));
  const candidates: Candidate[] = [];
  const problems: ConfigProblem[] = [];
  const walk = (node: object, prefix: string) => {
    for (const [key, value] of Object.entries(node)) {
      if (value === undefined) continue;
      const path = prefix + key;
      if (leaves.has(path)) candidates.push({ path, value, source });
      else if (groups.has(path) && typeof value === 'object' && value !== null) walk(value as object, `${path}.`);
      else problems.push(unknownKey(section, path, leaves, source));
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
