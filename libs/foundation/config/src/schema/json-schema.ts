import { type ConfigClass, type ConfigField, ConnectionConfig, shapeOf } from '@core-infra/kernel';
import type { DeclaredSections } from '../sections/unknown-keys.js';
import { definitions, fieldSchema, type FieldText, type JsonSchema } from './field.schema.js';
import { camelKey } from '../sources/tree.js';
import { spellings } from './spellings.js';

/** Tells what documentation says of a field. */
export type DescribeField = (field: ConfigField) => FieldText;

interface ObjectSchema extends JsonSchema {
  type: 'object';
  properties: Record<string, JsonSchema>;
  patternProperties: Record<string, JsonSchema>;
  additionalProperties: false;
}

const empty = (): ObjectSchema => ({
  type: 'object',
  properties: {},
  patternProperties: {},
  additionalProperties: false,
});

/**
 * A JSON Schema (draft 2020-12) of the configuration files of an app: all sections that somebody reads, in every spelling that is accepted.
 * Put `# yaml-language-server: $schema=…` on top of a YAML file, or `"$schema"` of your editor's settings, and it completes and checks.
 */
export function jsonSchemaOf(declared: DeclaredSections, describe: DescribeField = () => ({})): JsonSchema {
  const root = empty();
  for (const [section, classes] of [...declared].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [concern = section, connection] = section.split('.connections.');
    const node = groupAt(root, concern, '#');
    for (const Config of classes) addClass(node.schema, node.pointer, Config, describe);
    if (connection !== undefined || classes.some(isConnection)) {
      node.schema.properties.connections = {
        type: 'object',
        description: 'Named connections, each with the same keys.',
        additionalProperties: { $ref: node.pointer },
      };
    }
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration',
    ...root,
    $defs: definitions,
  };
}

function isConnection(Config: ConfigClass): boolean {
  return Config.prototype instanceof ConnectionConfig;
}

function addClass(schema: ObjectSchema, pointer: string, Config: ConfigClass, describe: DescribeField): void {
  const { fields, compounds, ignored } = shapeOf(Config);
  for (const field of fields) put(schema, pointer, field.path, fieldSchema(field, describe(field)));
  for (const field of fields) {
    for (const { key, unit } of field.aliases) {
      const text = { description: `Another name of ${field.path}.` };
      const written = fieldSchema(field, text, unit);
      delete written.default;
      put(schema, pointer, key, written);
    }
  }
  for (const { name, kind } of compounds) {
    if (kind === 'key')
      put(schema, pointer, name, { type: 'string', description: 'Carries several of the other keys.' });
  }
  for (const { name, kind, reason } of ignored) {
    if (kind === 'key') put(schema, pointer, name, { description: `Accepted, without effect: ${reason}.` });
  }
}

/** Puts a key under its group, in its own spelling as a property, and in the others as a pattern that refers to it. */
function put(schema: ObjectSchema, pointer: string, path: string, value: JsonSchema): void {
  const parts = path.split('.');
  const key = parts.pop()!;
  const group = groupAt(schema, parts.join('.'), pointer);
  const known = Object.keys(group.schema.properties).some(other => other !== key && camelKey(other) === camelKey(key));
  if (known) return; // an alias that only spells a key in another way
  group.schema.properties[key] ??= value;
  spell(group.schema, key, `${group.pointer}/properties/${key}`);
}

function spell(schema: ObjectSchema, key: string, $ref: string): void {
  const others = spellings(key).filter(other => other !== key && !Object.hasOwn(schema.properties, other));
  if (others.length > 0) schema.patternProperties[`^(${others.join('|')})$`] = { $ref };
}

function groupAt(schema: ObjectSchema, path: string, pointer: string): { schema: ObjectSchema; pointer: string } {
  let at = { schema, pointer };
  for (const key of path === '' ? [] : path.split('.')) {
    const next = `${at.pointer}/properties/${key}`;
    at.schema.properties[key] ??= empty();
    spell(at.schema, key, next);
    at = { schema: at.schema.properties[key] as ObjectSchema, pointer: next };
  }
  return at;
}
