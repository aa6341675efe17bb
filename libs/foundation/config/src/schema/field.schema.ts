import type { ConfigField, FieldKind, Unit } from '@core-infra/kernel';

/** A JSON Schema, or a part of one. */
export type JsonSchema = Record<string, unknown>;

/** What documentation says of a field, where its sources are at hand. */
export interface FieldText {
  readonly description?: string;
  /** The default in words; the class's own value when left out. */
  readonly default?: string;
}

export const REFERENCE: JsonSchema = { $ref: '#/$defs/reference' };

/** The definitions that field schemas refer to. */
export const definitions: JsonSchema = {
  reference: {
    type: 'string',
    pattern: '^(file:///|secret://).+',
    description: 'A value that is kept elsewhere: file:///run/secrets/name or secret://name.',
  },
  duration: {
    type: 'string',
    pattern: '^\\s*(\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*)+$',
    description: 'A duration such as "5m" or "1h 30m".',
  },
  size: {
    type: 'string',
    pattern: '^\\s*\\d+(\\.\\d+)?\\s*([bB]|bytes|[kKmMgG][iI]?[bB])?\\s*$',
    description: 'A size such as "10MB".',
  },
};

const own: Record<string, string> = { duration: 'milliseconds', size: 'bytes' };
const units: Record<Unit, string> = {
  ms: 'milliseconds',
  s: 'seconds',
  m: 'minutes',
  h: 'hours',
  d: 'days',
  bytes: 'bytes',
  KB: 'KB',
  MB: 'MB',
  GB: 'GB',
};

/** The unit of a bare number, in words. */
export function unitName(field: ConfigField, unit?: Unit): string | undefined {
  if (unit) return units[unit];
  return field.dimension && own[field.dimension];
}

/** What may stand in a file for a field. */
export function fieldSchema(field: ConfigField, text: FieldText = {}, unit?: Unit): JsonSchema {
  const inUnit = unitName(field, unit);
  const description = [text.description, inUnit && `A bare number is in ${inUnit}.`].filter(Boolean).join(' ');
  return {
    ...(description && { description }),
    ...(unit === undefined && defaultOf(field, text)),
    ...valueSchema(field, unit),
  };
}

function valueSchema(field: ConfigField, unit?: Unit): JsonSchema {
  const { kind, dimension, min, max, choices } = field;
  if (choices && kind !== 'list')
    return { anyOf: [{ enum: [...choices, ...Object.keys(field.synonyms ?? {})] }, REFERENCE] };
  if (dimension) {
    const limits = unit ? {} : { minimum: min, maximum: max };
    return { anyOf: [{ type: 'number', ...defined(limits) }, { $ref: `#/$defs/${dimension}` }, REFERENCE] };
  }
  switch (kind) {
    case 'integer':
    case 'number':
      return { anyOf: [{ type: kind, ...defined({ minimum: min, maximum: max }) }, REFERENCE] };
    case 'boolean':
      return { anyOf: [{ type: 'boolean' }, REFERENCE] };
    case 'list':
      return {
        anyOf: [
          { type: 'array', ...items(field) },
          { type: 'string', description: 'A comma list.' },
        ],
      };
    case 'object':
      return { anyOf: [{ type: 'object' }, { type: 'array' }] };
    case 'string':
      return { type: ['string', 'number', 'boolean'] satisfies (FieldKind | 'string')[] };
  }
}

function items({ items: kind, choices }: ConfigField): JsonSchema {
  if (choices) return { items: { enum: choices } };
  return kind ? { items: { type: kind } } : {};
}

function defaultOf({ default: value, secret }: ConfigField, text: FieldText): JsonSchema {
  if (secret || value === undefined || value === '') return {};
  return text.default !== undefined && !isLiteral(text.default) ? {} : { default: value };
}

/** `10_000`, `'info'`, `true`, `[]`: not "the app's name". */
function isLiteral(text: string): boolean {
  return /^(['"`].*['"`]|[\d_.-]+|true|false|\[.*\]|\{.*\}|\S+)$/s.test(text.trim());
}

function defined(limits: Record<string, number | undefined>): JsonSchema {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
