import {
  type Compound,
  type ConfigClass,
  type ConfigField,
  type ConfigShape,
  shapeOf,
  type Unit,
} from '@core-infra/kernel';
import { camelPath } from '../sources/tree.js';

/** What a key of a section means to one class. */
export type KeyMeaning =
  | { readonly kind: 'field'; readonly field: ConfigField; readonly unit?: Unit }
  | { readonly kind: 'compound'; readonly compound: Compound }
  | { readonly kind: 'ignored'; readonly reason: string }
  | { readonly kind: 'group' };

const indexes = new WeakMap<ConfigShape, ReadonlyMap<string, KeyMeaning>>();

/** Every key that may stand in a file under the class's section, by its path in camel case: fields, groups, aliases, compounds, ignored ones. */
export function keysOf(Config: ConfigClass): ReadonlyMap<string, KeyMeaning> {
  const shape = shapeOf(Config);
  let index = indexes.get(shape);
  if (!index) indexes.set(shape, (index = new Map(entries(shape))));
  return index;
}

function* entries({ fields, groups, compounds, ignored }: ConfigShape): Generator<[string, KeyMeaning]> {
  for (const path of groups.keys()) yield [path, { kind: 'group' }];
  for (const { name, kind, reason } of ignored)
    if (kind === 'key') yield [camelPath(name), { kind: 'ignored', reason }];
  for (const compound of compounds)
    if (compound.kind === 'key') yield [camelPath(compound.name), { kind: 'compound', compound }];
  for (const field of fields) {
    for (const { key, unit } of field.aliases) {
      yield* parents(camelPath(key));
      yield [camelPath(key), { kind: 'field', field, unit }];
    }
  }
  for (const field of fields) yield [field.path, { kind: 'field', field }];
}

/** An alias may stand in a group that the class itself does not have. */
function* parents(path: string): Generator<[string, KeyMeaning]> {
  const parts = path.split('.');
  for (let depth = 1; depth < parts.length; depth += 1) yield [parts.slice(0, depth).join('.'), { kind: 'group' }];
}
