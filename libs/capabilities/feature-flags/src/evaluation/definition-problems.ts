import { isForbiddenKey } from '@core-infra/kernel';
import type { FlagProblem } from '../errors.js';
import type { FlagDefinition } from '../flag-document.js';
import { escaped } from './places.js';

type Json = Record<string, unknown>;

const operations = new Set(
  (
    'var missing missing_some if == === != !== ! !! or and > >= < <= max min + - * / % map filter reduce all none some ' +
    'merge in cat substr fractional starts_with ends_with sem_ver $ref'
  ).split(' '),
);

/**
 * The commonest mistakes of a flag, each with a sentence of its own. flagd's schema finds them too, but says for each of them
 * that the flag matches none of four alternatives; and it does not know which variants there are.
 */
export function* definitionProblems(key: string, definition: unknown): Iterable<FlagProblem> {
  const pointer = `/flags/${escaped(key)}`;
  if (!/^[^\s\p{C}]{1,200}$/u.test(key))
    yield { pointer, message: 'a name has 1 to 200 characters, none of them a blank or a control character' };
  if (!isObject(definition)) return yield { pointer, message: 'must be an object' };
  const { state, variants, defaultVariant, targeting } = definition as Partial<FlagDefinition>;
  if (state !== 'ENABLED' && state !== 'DISABLED')
    yield { pointer: `${pointer}/state`, message: 'must be ENABLED or DISABLED' };
  if (!isObject(variants)) return yield { pointer: `${pointer}/variants`, message: 'must be an object of values' };
  const kinds = new Set(Object.values(variants).map(kindOf));
  if (kinds.size > 1)
    yield { pointer: `${pointer}/variants`, message: `must all be of one kind, and are ${[...kinds].join(' and ')}` };
  if (typeof defaultVariant === 'string' && !Object.hasOwn(variants, defaultVariant))
    yield { pointer: `${pointer}/defaultVariant`, message: `there is no variant ${JSON.stringify(defaultVariant)}` };
  if (isObject(targeting)) yield* resultProblems(`${pointer}/targeting`, targeting, variants);
  else if (targeting !== undefined) yield { pointer: `${pointer}/targeting`, message: 'must be an object' };
}

/** Operations that do not exist, anywhere in a rule. */
export function* operationProblems(pointer: string, node: unknown): Iterable<FlagProblem> {
  if (Array.isArray(node)) {
    for (const [index, item] of node.entries()) yield* operationProblems(`${pointer}/${index}`, item);
  } else if (isObject(node)) {
    for (const [name, argument] of Object.entries(node)) {
      const place = `${pointer}/${escaped(name)}`;
      if (operations.has(name)) yield* operationProblems(place, argument);
      else yield { pointer: place, message: `there is no operation ${JSON.stringify(name)}` };
    }
  }
}

/** What the rules come to must be variants; only what is written out can be looked at. */
function* resultProblems(pointer: string, node: unknown, variants: Json): Iterable<FlagProblem> {
  if (typeof node === 'string' || typeof node === 'boolean') {
    if (!Object.hasOwn(variants, String(node)))
      yield { pointer, message: `there is no variant ${JSON.stringify(String(node))}` };
  } else if (isObject(node)) {
    const { if: branches, fractional: buckets } = node;
    if (Array.isArray(branches) && branches.length > 1) {
      for (const [index, branch] of branches.entries())
        if (index % 2 === 1 || index === branches.length - 1)
          yield* resultProblems(`${pointer}/if/${index}`, branch, variants);
    }
    if (Array.isArray(buckets)) {
      for (const [index, bucket] of buckets.entries())
        if (Array.isArray(bucket)) yield* bucketProblems(`${pointer}/fractional/${index}`, bucket, variants);
    }
  }
}

function* bucketProblems(pointer: string, bucket: readonly unknown[], variants: Json): Iterable<FlagProblem> {
  const [variant, weight] = bucket;
  yield* resultProblems(`${pointer}/0`, variant, variants);
  if (typeof weight === 'number' && !(Number.isSafeInteger(weight) && weight >= 0))
    yield { pointer: `${pointer}/1`, message: 'must be a whole number, not below 0' };
}

/** Keys that would reach into prototypes, and depths that no rule needs. */
export function* unsafeParts(node: unknown, pointer: string = '', depth: number = 0): Iterable<FlagProblem> {
  if (typeof node !== 'object' || node === null) return;
  if (depth > 100) return yield { pointer: '', message: 'it is nested more than 100 levels deep' };
  for (const [key, value] of Object.entries(node)) {
    const place = `${pointer}/${escaped(key)}`;
    if (isForbiddenKey(key)) yield { pointer: place, message: 'this key is not allowed' };
    else yield* unsafeParts(value, place, depth + 1);
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value;
}
