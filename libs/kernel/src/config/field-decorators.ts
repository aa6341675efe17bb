import type { Unit } from './units.js';

/** A class whose instances hold a section of the configuration; its initialisers are the defaults. */
export type ConfigClass<C extends object = object> = new () => C;

/** One way to set a field from the environment, besides its own `SECTION_FIELD` name. */
export interface EnvAlias {
  /** Names whose values are added up where there are several, e.g. a pool's size and its overflow. */
  readonly names: readonly string[];
  /** Unit of a bare number in this variable; the field's own unit otherwise. */
  readonly unit?: Unit;
}

/** Another key for a field in a configuration file, counted from its section. */
export interface KeyAlias {
  readonly key: string;
  readonly unit?: Unit;
}

/** One setting that carries several fields, e.g. `REDIS_ADDR=host:port`. */
export interface Compound {
  /** The environment variable, or the key in a file when `kind` is `key`. */
  readonly name: string;
  readonly kind: 'env' | 'key';
  /** Fields by path (`host`, `pool.max`); throws an Error whose message says what was expected. */
  readonly parse: (text: string) => Record<string, unknown>;
}

/** A setting that is accepted, does nothing here, and is answered with one line that says why. */
export interface IgnoredSetting {
  readonly name: string;
  readonly kind: 'env' | 'key';
  readonly reason: string;
}

export interface FieldDeclaration {
  secret?: boolean;
  live?: boolean;
  env: EnvAlias[];
  aliases: KeyAlias[];
  nested?: () => ConfigClass;
  synonyms?: Readonly<Record<string, string>>;
}

export interface ClassDeclaration {
  section?: string;
  compounds: Compound[];
  ignored: IgnoredSetting[];
  fields: Map<string, FieldDeclaration>;
}

const declarations = new WeakMap<object, ClassDeclaration>();

/** What the decorators left on exactly this class, its ancestors not counted. */
export function declarationOf(target: object): ClassDeclaration {
  let found = declarations.get(target);
  if (!found) declarations.set(target, (found = { compounds: [], ignored: [], fields: new Map() }));
  return found;
}

function fieldOf(prototype: object, key: string | symbol): FieldDeclaration {
  const { fields } = declarationOf(prototype.constructor);
  let found = fields.get(String(key));
  if (!found) fields.set(String(key), (found = { env: [], aliases: [] }));
  return found;
}

/** The section of the configuration that a class reads when nothing else names one. */
export function ConfigSection(section: string): ClassDecorator {
  return target => {
    declarationOf(target).section = section;
  };
}

/** Never printed: masked in errors, logs and `core-infra config print`. */
export function Secret(): PropertyDecorator {
  return (prototype, key) => {
    fieldOf(prototype, key).secret = true;
  };
}

/** A change of this field takes effect without a restart. */
export function Live(): PropertyDecorator {
  return (prototype, key) => {
    fieldOf(prototype, key).live = true;
  };
}

/**
 * More environment variables for a field, each an alternative, besides its own `SECTION_FIELD` name.
 * `unit` says what a bare number in them means, so that `REDIS_DIAL_TIMEOUT=5` is five seconds in a field of milliseconds.
 */
export function Env(...names: [string, ...string[]] | [string, ...string[], { unit: Unit }]): PropertyDecorator {
  const last = names.at(-1);
  const unit = typeof last === 'object' ? last.unit : undefined;
  return (prototype, key) => {
    for (const name of names) if (typeof name === 'string') fieldOf(prototype, key).env.push({ names: [name], unit });
  };
}

/** Environment variables that are added up to make the field, e.g. a pool's size and its overflow. */
export function EnvSum(...names: [string, string, ...string[]]): PropertyDecorator {
  return (prototype, key) => {
    fieldOf(prototype, key).env.push({ names });
  };
}

/** Another key of the same section for a field, in files; counted from the section, also in a nested class. */
export function Alias(key: string, options: { unit?: Unit } = {}): PropertyDecorator {
  return (prototype, property) => {
    fieldOf(prototype, property).aliases.push({ key, ...options });
  };
}

/** Other words for a field's values, whatever their case: `@Synonyms({ dev: 'development' })`. */
export function Synonyms(words: Readonly<Record<string, string>>): PropertyDecorator {
  return (prototype, key) => {
    fieldOf(prototype, key).synonyms = words;
  };
}

/** The field is a group of fields with a class of its own. */
export function Nested(type: () => ConfigClass): PropertyDecorator {
  return (prototype, key) => {
    fieldOf(prototype, key).nested = type;
  };
}

/** An environment variable that carries several fields. Its parts merge with the fields' own settings; a contradiction is an error. */
export function EnvParts(name: string, parse: Compound['parse']): ClassDecorator {
  return target => {
    declarationOf(target).compounds.push({ name, kind: 'env', parse });
  };
}

/** A key in a file that carries several fields, like {@link EnvParts}. */
export function KeyParts(name: string, parse: Compound['parse']): ClassDecorator {
  return target => {
    declarationOf(target).compounds.push({ name, kind: 'key', parse });
  };
}

/** Environment variables that users of other stacks set and that mean nothing here: accepted, with one notice that gives the reason. */
export function IgnoredEnv(names: readonly string[], reason: string): ClassDecorator {
  return target => {
    for (const name of names) declarationOf(target).ignored.push({ name, kind: 'env', reason });
  };
}
