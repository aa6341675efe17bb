import { getMetadataStorage } from 'class-validator';
import {
  type Compound,
  type ConfigClass,
  declarationOf,
  type EnvAlias,
  type IgnoredSetting,
  type KeyAlias,
} from './field-decorators.js';
import { type Dimension, dimensionOf } from './units.js';

export type FieldKind = 'string' | 'integer' | 'number' | 'boolean' | 'list' | 'object';

/** A leaf of a configuration class, with all that its decorators and its name say of it. */
export interface ConfigField {
  /** Path within the section, e.g. `pool.max`. */
  readonly path: string;
  readonly kind: FieldKind;
  /** What each item of a list is, where that is not text. */
  readonly items?: 'integer' | 'number' | 'boolean';
  readonly dimension?: Dimension;
  readonly secret: boolean;
  readonly live: boolean;
  readonly env: readonly EnvAlias[];
  readonly aliases: readonly KeyAlias[];
  /** The initialiser's value; undefined where the field has none. */
  readonly default: unknown;
  /** Allowed values, where they are a closed list. */
  readonly choices?: readonly unknown[];
  readonly min?: number;
  readonly max?: number;
  readonly optional: boolean;
  /** Other words for values: `dev` for `development`. */
  readonly synonyms?: Readonly<Record<string, string>>;
  /** The class that declares the field, and its key there. */
  readonly owner: ConfigClass;
  readonly key: string;
}

export interface ConfigShape {
  /** Set by `@ConfigSection`. */
  readonly section?: string;
  readonly fields: readonly ConfigField[];
  /** Groups of fields by path, with their classes: those of `@Nested`. */
  readonly groups: ReadonlyMap<string, ConfigClass>;
  readonly compounds: readonly Compound[];
  readonly ignored: readonly IgnoredSetting[];
}

const shapes = new WeakMap<ConfigClass, ConfigShape>();

/** Reads a configuration class: every leaf field, nested classes included. */
export function shapeOf(Config: ConfigClass): ConfigShape {
  let shape = shapes.get(Config);
  if (!shape) shapes.set(Config, (shape = readShape(Config)));
  return shape;
}

function readShape(Config: ConfigClass): ConfigShape {
  const ancestry = ancestryOf(Config);
  const groups = new Map<string, ConfigClass>();
  return {
    groups,
    section: ancestry.map(target => declarationOf(target).section).find(Boolean),
    fields: readFields(Config, '', groups),
    compounds: ancestry.flatMap(target => declarationOf(target).compounds),
    ignored: ancestry.flatMap(target => declarationOf(target).ignored),
  };
}

/** The class itself first. */
function ancestryOf(Config: object): object[] {
  const found: object[] = [];
  for (let at: object | null = Config; at && at !== Function.prototype; at = Object.getPrototypeOf(at) as object | null)
    found.push(at);
  return found;
}

function readFields(Config: ConfigClass, prefix: string, groups: Map<string, ConfigClass>): ConfigField[] {
  const defaults = new Config() as Record<string, unknown>;
  const ancestry = ancestryOf(Config);
  const declared = ancestry.flatMap(target => [...declarationOf(target).fields.keys()]);
  const constraints = constraintsOf(Config);
  // Validators come in the order of the fields, those without an initialiser included.
  const keys = new Set([...constraints.keys(), ...Object.keys(defaults), ...declared]);
  return [...keys].flatMap(key => {
    const of = ancestry.map(target => declarationOf(target).fields.get(key)).filter(found => found !== undefined);
    const nested = of.find(declaration => declaration.nested)?.nested;
    if (nested) {
      groups.set(prefix + key, nested());
      return readFields(nested(), `${prefix}${key}.`, groups);
    }
    const rules = constraints.get(key) ?? [];
    const choices = rules.find(rule => rule.name === 'isIn' || rule.name === 'isEnum')?.constraints[
      rules.some(rule => rule.name === 'isIn') ? 0 : 1
    ];
    const number = (name: string) =>
      rules.find(rule => rule.name === name && !rule.each)?.constraints[0] as number | undefined;
    const port = rules.some(rule => rule.name === 'isPort');
    return [
      {
        path: prefix + key,
        key,
        owner: Config,
        kind: rules.some(rule => rule.each)
          ? 'list'
          : kindOf(
              rules.map(rule => rule.name),
              defaults[key],
              choices,
            ),
        items: itemsOf(rules.filter(rule => rule.each).map(rule => rule.name)),
        dimension: dimensionOf(key),
        secret: of.some(declaration => declaration.secret),
        live: of.some(declaration => declaration.live),
        env: of.flatMap(declaration => declaration.env),
        aliases: of.flatMap(declaration => declaration.aliases),
        default: defaults[key],
        choices: Array.isArray(choices) ? (choices as unknown[]) : undefined,
        min: number('min') ?? (port ? 1 : undefined),
        max: number('max') ?? (port ? 65_535 : undefined),
        synonyms: of.find(declaration => declaration.synonyms)?.synonyms,
        optional: rules.some(rule => rule.name === 'isOptional' || rule.type === 'conditionalValidation'),
      } satisfies ConfigField,
    ];
  });
}

interface Rule {
  name?: string;
  type: string;
  constraints: unknown[];
  /** Whether it is about the items of a list. */
  each: boolean;
}

function constraintsOf(Config: ConfigClass): Map<string, Rule[]> {
  const found = new Map<string, Rule[]>();
  for (const rule of getMetadataStorage().getTargetValidationMetadatas(Config, '', false, false)) {
    const rules = found.get(rule.propertyName) ?? [];
    const constraints = (rule.constraints as unknown[] | undefined) ?? [];
    rules.push({ name: rule.name, type: rule.type, constraints, each: rule.each });
    found.set(rule.propertyName, rules);
  }
  return found;
}

/**
 * `design:type` is not trusted, as compilers differ in what they emit for a field without an annotation:
 * the kind follows the validators, and where they do not tell, the default.
 */
function kindOf(rules: readonly (string | undefined)[], initial: unknown, choices: unknown): FieldKind {
  const has = (...names: string[]) => names.some(name => rules.includes(name));
  if (has('isArray') || Array.isArray(initial)) return 'list';
  if (has('isBoolean')) return 'boolean';
  if (has('isInt')) return 'integer';
  if (has('isNumber', 'isPositive', 'min', 'max')) return 'number';
  if (has('isObject')) return 'object';
  if (Array.isArray(choices) && choices.length > 0 && choices.every(choice => typeof choice === 'number'))
    return 'number';
  if (has('isString', 'isUrl', 'isIn', 'isEnum', 'matches')) return 'string';
  if (typeof initial === 'boolean') return 'boolean';
  if (typeof initial === 'number') return 'number';
  return typeof initial === 'object' && initial !== null ? 'object' : 'string';
}

function itemsOf(rules: readonly (string | undefined)[]): ConfigField['items'] {
  if (rules.includes('isInt')) return 'integer';
  if (rules.includes('isBoolean')) return 'boolean';
  return rules.some(rule => rule === 'isNumber' || rule === 'min' || rule === 'max') ? 'number' : undefined;
}
