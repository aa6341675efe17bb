import { Logger } from '@nestjs/common';
import { FlagdCore, type FeatureFlag } from '@openfeature/flagd-core';
import fc from 'fast-check';
import { fastRule } from '../../src/evaluation/fast-rules.js';
import type { FlagDefinition } from '../../src/flag-document.js';
import { booleanFlag, engineOf } from '../support/compile.js';

const silent = () => undefined;
const logger = { debug: silent, info: silent, warn: silent, error: silent };

function flagdOf(flags: Record<string, FlagDefinition>): FlagdCore {
  const core = new FlagdCore(undefined, logger);
  core.setConfigurations(JSON.stringify({ flags }));
  return core;
}

const variants = { a: 'A', b: 'B', c: 'C' };
const variant = fc.constantFrom(...Object.keys(variants));
const user = fc.oneof(fc.string({ maxLength: 12, unit: 'grapheme' }), fc.constantFrom('ann', 'bob', '', 'ünï', '用户'));

const bucket = fc.oneof(
  fc.tuple(variant),
  fc.tuple(variant, fc.integer({ min: 0, max: 100 })),
  fc.tuple(variant, fc.integer({ min: 0, max: 2 ** 29 })),
);
const fractional = fc.array(bucket, { minLength: 2, maxLength: 5 }).map(buckets => ({ fractional: buckets }));
const condition = fc
  .tuple(fc.constantFrom('targetingKey', 'email', 'userId'), fc.array(user, { maxLength: 4 }))
  .map(([name, list]) => ({ in: [{ var: name }, list] }));
const result = fc.oneof(variant, fractional, fc.constant(null));
const otherRule = fc.constantFrom<object>(
  { if: [{ '==': [{ var: 'email' }, 'ann'] }, 'a', 'b'] },
  {
    if: [
      { starts_with: [{ var: 'email' }, 'a'] },
      'c',
      {
        fractional: [
          ['a', 1],
          ['b', 3],
        ],
      },
    ],
  },
  { fractional: [{ cat: [{ var: '$flagd.flagKey' }, { var: 'email' }] }, ['a', 50], ['b', 50]] },
  { if: [{ sem_ver: [{ var: 'version' }, '>=', '1.2.0'] }, 'a', null] },
  { var: 'email' },
);
const chain = fc.oneof(
  fc.tuple(condition, result, result).map(parts => ({ if: parts })),
  fc.tuple(condition, result, condition, result, result).map(parts => ({ if: parts })),
);
const targeting = fc.oneof(fractional, chain, otherRule);
const context = fc.record(
  { targetingKey: user, email: user, userId: user, version: fc.constantFrom('1.2.3', '0.9', 'none') },
  { requiredKeys: [] },
);
const definition = fc.record({
  state: fc.constantFrom<'ENABLED' | 'DISABLED'>('ENABLED', 'ENABLED', 'ENABLED', 'DISABLED'),
  variants: fc.constant(variants),
  defaultVariant: fc.constantFrom('a', 'b', null),
  targeting: fc.option(targeting, { nil: undefined }),
});

beforeEach(() => jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined));
afterEach(() => jest.restoreAllMocks());

describe('evaluation', () => {
  it('answers exactly as flagd does, whatever the rules and whoever asks', () => {
    fc.assert(
      fc.property(definition, fc.array(context, { minLength: 1, maxLength: 8 }), (flag, contexts) => {
        const flags = engineOf({ 'a-flag': flag });
        const flagd = flagdOf({ 'a-flag': flag });
        for (const asker of contexts) {
          const expected = flagd.resolveStringEvaluation('a-flag', 'fallback', asker);
          const { value, reason, variant: name, errorCode } = flags.details('a-flag', 'fallback', asker);
          expect({ value, name, errorCode, reason: reason === 'SPLIT' ? 'TARGETING_MATCH' : reason }).toEqual({
            value: expected.value,
            name: expected.variant,
            errorCode: expected.errorCode,
            reason: expected.reason,
          });
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it('has the short way for the shapes that it is for', () => {
    const outcomeOf = (name: string, reason: 'TARGETING_MATCH' | 'SPLIT') => ({ value: name, variant: name, reason });
    const isFast = (rule: unknown) => fastRule('a', rule, outcomeOf) !== undefined;
    const split = {
      fractional: [
        ['on', 20],
        ['off', 80],
      ],
    };
    expect(isFast(split)).toBe(true);
    expect(isFast({ if: [{ in: [{ var: 'targetingKey' }, ['ann']] }, 'on', split] })).toBe(true);
    expect(isFast({ if: [{ in: ['@x.org', { var: 'email' }] }, 'on', 'off'] })).toBe(false);
    expect(isFast({ fractional: [{ var: 'email' }, ['on', 20], ['off', 80]] })).toBe(false);
  });

  it('keeps to flagd where a user is told apart by something that is no text', () => {
    const flag = booleanFlag({
      fractional: [
        ['on', 50],
        ['off', 50],
      ],
    });
    const flags = engineOf({ a: flag });
    const flagd = flagdOf({ a: flag }).getFlag('a') as FeatureFlag;
    for (const key of [42, true, ['x'], 0, null])
      expect(flags.variant('a', { targetingKey: key as unknown as string })).toBe(
        flagd.evaluate({ targetingKey: key as unknown as string }).variant,
      );
  });
});
