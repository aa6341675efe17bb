import type { ContextFields } from '@core-infra/kernel';
import MurmurHash3 from 'imurmurhash';
import type { FlagContext } from '../feature-flags.js';
import { isObject } from './definition-problems.js';
import { type ReadAttribute, readerOf } from './attributes.js';
import type { Outcome } from './outcome.js';

/** A rule as a function: the outcome, or `null` where the rule has no answer. */
export type FastRule = (
  passed: FlagContext | undefined,
  request: Readonly<ContextFields> | undefined,
) => Outcome | null;

/** The outcome of a variant, by the reason for it; the same object for the same two. */
export type OutcomeOf = (variant: string, reason: 'TARGETING_MATCH' | 'SPLIT') => Outcome;

/** Above it the product of a hash and the sum of weights is no longer exact in a double. */
const MAX_EXACT_WEIGHT = 2 ** 21;

/**
 * Rules of the shapes that nearly all flags have, as plain functions: a percentage, lists of users or of an attribute's values, and `if` chains of
 * them. They answer exactly as flagd's engine does. `undefined` for every other shape, which is that engine's.
 */
export function fastRule(flag: string, rule: unknown, outcomeOf: OutcomeOf): FastRule | undefined {
  if (rule === null) return () => null;
  if (typeof rule === 'string') {
    const outcome = outcomeOf(rule, 'TARGETING_MATCH');
    return () => outcome;
  }
  if (!isObject(rule) || Object.keys(rule).length !== 1) return undefined;
  if (Array.isArray(rule['fractional'])) return fastFractional(flag, rule['fractional'], outcomeOf);
  if (Array.isArray(rule['if'])) return fastIf(flag, rule['if'], outcomeOf);
  return undefined;
}

function fastIf(flag: string, parts: readonly unknown[], outcomeOf: OutcomeOf): FastRule | undefined {
  if (parts.length !== 3 && parts.length !== 5) return undefined;
  const [condition, then, ...rest] = parts;
  const test = fastCondition(condition);
  const yes = fastRule(flag, then, outcomeOf);
  const no = rest.length === 1 ? fastRule(flag, rest[0], outcomeOf) : fastIf(flag, rest, outcomeOf);
  if (!test || !yes || !no) return undefined;
  return (passed, request) => (test(passed, request) ? yes(passed, request) : no(passed, request));
}

/** `{ in: [{ var: 'targetingKey' }, ['ann', 'bob']] }`. */
function fastCondition(condition: unknown): ReadAttribute | undefined {
  if (!isObject(condition) || Object.keys(condition).length !== 1 || !Array.isArray(condition['in'])) return undefined;
  const [item, list, ...more] = condition['in'] as unknown[];
  if (more.length > 0 || !isObject(item) || Object.keys(item).length !== 1 || typeof item['var'] !== 'string')
    return undefined;
  if (!Array.isArray(list) || !list.every(value => typeof value === 'string')) return undefined;
  const read = readerOf(item['var']);
  const values = new Set<unknown>(list);
  return read && ((passed, request) => values.has(read(passed, request)));
}

/** `{ fractional: [['on', 20], ['off', 80]] }`, on the targeting key. */
function fastFractional(flag: string, buckets: readonly unknown[], outcomeOf: OutcomeOf): FastRule | undefined {
  const read = readerOf('targetingKey')!;
  const outcomes: Outcome[] = [];
  const bounds: number[] = [];
  let sum = 0;
  if (buckets.length < 2) return undefined;
  for (const bucket of buckets) {
    if (!Array.isArray(bucket) || bucket.length === 0 || bucket.length > 2) return undefined;
    const [variant, weight = 1] = bucket as unknown[];
    if (typeof variant !== 'string' || typeof weight !== 'number' || !Number.isSafeInteger(weight)) return undefined;
    sum += Math.max(0, weight);
    outcomes.push(outcomeOf(variant, 'SPLIT'));
    bounds.push(sum * 2 ** 32);
  }
  if (sum > MAX_EXACT_WEIGHT) return undefined;
  return (passed, request) => {
    const key = read(passed, request);
    if (!key) return null;
    // oxlint-disable-next-line typescript/no-base-to-string, typescript/restrict-template-expressions -- as flagd does
    const point = MurmurHash3(`${flag}${key}`).result() * sum;
    for (let index = 0; index < bounds.length; index += 1) if (point < bounds[index]!) return outcomes[index]!;
    return null;
  };
}
