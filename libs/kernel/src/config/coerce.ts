import type { ConfigField } from './fields.js';
import { parseQuantity, type Unit } from './units.js';

/** A value that could not be read as its field's kind. */
export class CoercionFailure {
  constructor(readonly expected: string) {}
}

const booleans: Record<string, boolean> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

/**
 * Reads what a source holds (text from the environment, anything from YAML) as the kind of its field.
 * @param unit of a bare number; the field's own when left out
 */
export function coerce(value: unknown, field: ConfigField, unit?: Unit): unknown {
  switch (field.kind) {
    case 'integer':
    case 'number':
      return coerceNumber(value, field, unit);
    case 'boolean':
      return typeof value === 'boolean'
        ? value
        : (booleans[String(value).trim().toLowerCase()] ?? new CoercionFailure('true or false'));
    case 'list':
      return coerceList(value, field);
    case 'object':
      return coerceObject(value);
    case 'string':
      if (typeof value === 'string') return coerceText(value, field);
      return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
        ? String(value)
        : new CoercionFailure('text');
  }
}

function coerceNumber(value: unknown, field: ConfigField, unit?: Unit): number | CoercionFailure {
  const noun = field.kind === 'integer' ? 'an integer' : 'a number';
  if (field.dimension) {
    const own: Unit = field.dimension === 'duration' ? 'ms' : 'bytes';
    const example =
      field.dimension === 'duration' ? 'a duration such as "5m", or milliseconds' : 'a size such as "10MB", or bytes';
    if (typeof value !== 'number' && typeof value !== 'string') return new CoercionFailure(example);
    return parseQuantity(value, field.dimension, unit ?? own) ?? new CoercionFailure(example);
  }
  const text = typeof value === 'string' ? value.trim() : value;
  if (typeof text === 'string' && text.startsWith('tcp://')) {
    return new CoercionFailure(
      `${noun}; Kubernetes sets this variable for a Service of that name: set enableServiceLinks: false in the pod's spec, or rename the Service`,
    );
  }
  if (typeof text === 'string' && !/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return new CoercionFailure(noun);
  const number = typeof text === 'string' || typeof text === 'number' ? Number(text) : Number.NaN;
  if (!Number.isFinite(number) || (field.kind === 'integer' && !Number.isInteger(number)))
    return new CoercionFailure(noun);
  return number;
}

/** A comma list, or a JSON array when it begins with a bracket; items of numbers and booleans are read as such. */
function coerceList(value: unknown, field: ConfigField): unknown[] | CoercionFailure {
  const items = Array.isArray(value) ? (value as unknown[]) : splitList(value);
  const { items: kind } = field;
  if (items instanceof CoercionFailure || kind === undefined) return items;
  const coerced = items.map(item => coerce(item, { ...field, kind, dimension: undefined }));
  const failure = coerced.find(item => item instanceof CoercionFailure);
  return failure ? new CoercionFailure(`a list, each item ${failure.expected}`) : coerced;
}

function splitList(value: unknown): unknown[] | CoercionFailure {
  if (typeof value !== 'string') return new CoercionFailure('a list');
  const text = value.trim();
  if (text.startsWith('[')) {
    const parsed = parseJson(text);
    if (parsed instanceof CoercionFailure) return parsed;
    return Array.isArray(parsed) ? (parsed as unknown[]) : new CoercionFailure('a comma list or a JSON array');
  }
  return text === '' ? [] : text.split(',').map(item => item.trim());
}

function coerceObject(value: unknown): unknown {
  const found = typeof value === 'string' ? parseJson(value) : value;
  if (found instanceof CoercionFailure) return found;
  return typeof found === 'object' && found !== null
    ? found
    : new CoercionFailure('an object, in the environment as JSON');
}

/** Keys that would reach into the prototypes of other objects. */
export function isForbiddenKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype';
}

function parseJson(text: string): unknown {
  let forbidden: string | undefined;
  try {
    const parsed: unknown = JSON.parse(text, (key, value: unknown) => {
      if (isForbiddenKey(key)) forbidden = key;
      return value;
    });
    return forbidden === undefined ? parsed : new CoercionFailure(`JSON without the key "${forbidden}"`);
  } catch {
    return undefined; // the caller reports what it expected
  }
}

/** `INFO` is `info` where the list of choices says so, and `dev` is `development` where the synonyms do. */
function coerceText(value: string, { choices, synonyms }: ConfigField): string | CoercionFailure {
  if (value.includes('\0')) return new CoercionFailure('text without a NUL byte');
  const word = value.trim().toLowerCase();
  const synonym = synonyms && Object.entries(synonyms).find(([other]) => other.toLowerCase() === word);
  if (synonym) return synonym[1];
  const found = choices?.find(choice => typeof choice === 'string' && choice.toLowerCase() === word);
  return typeof found === 'string' ? found : value;
}
