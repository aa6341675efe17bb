import { FeatureFlagsModule, InvalidFlagsError, type FlagProblem } from '../../src/index.js';
import { bootInfra } from '@core-infra/testing';
import { checkFlagDocument, parseFlagDocument, problemsOf } from '../../src/evaluation/validate.js';
import { booleanFlag } from '../support/compile.js';

function refused(text: string): readonly FlagProblem[] {
  try {
    parseFlagDocument(text, { source: 'the file flags.json' });
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidFlagsError);
    return (error as InvalidFlagsError).problems;
  }
  throw new Error('it was taken');
}

const requiring = (requires: string) => booleanFlag(undefined, { metadata: { requires } });

describe('a set of flags', () => {
  it('is refused with line, column and pointer', () => {
    const text = JSON.stringify(
      { flags: { good: booleanFlag(), 'a/b': { ...booleanFlag(), state: 'PERHAPS' } } },
      null,
      2,
    );
    const line = text.split('\n').findIndex(each => each.includes('PERHAPS')) + 1;
    expect(refused(text)).toEqual([
      { pointer: '/flags/a~1b/state', line, column: 16, message: 'must be ENABLED or DISABLED' },
    ]);
    expect(() => parseFlagDocument(text, { source: 'the file flags.json' })).toThrow(
      `The flags of the file flags.json are refused: ${line}:16 /flags/a~1b/state: must be ENABLED or DISABLED.`,
    );
  });

  it.each<[string, string, Partial<FlagProblem>]>([
    ['nothing', '', { line: 1, column: 1, message: expect.stringContaining('not JSON') }],
    ['half of one', '{ "flags": {\n  "a": { "state": "ENA', { line: 2, message: expect.stringContaining('not JSON') }],
    ['a comma too many', '{ "flags": {}, }', { line: 1, column: 16, message: expect.stringContaining('not JSON') }],
    ['a comment', '{ "flags": {} } // all', { line: 1, message: expect.stringContaining('not JSON') }],
    ['a list', '[]', { pointer: '', message: expect.stringContaining('"flags"') }],
    [
      'a key that is there twice',
      '{ "flags": {\n "a": 1,\n "a": 2 } }',
      { pointer: '/flags/a', line: 3, column: 2, message: 'it is there twice' },
    ],
    [
      'a prototype',
      '{ "flags": { "__proto__": { } } }',
      { pointer: '/flags/__proto__', message: 'this key is not allowed' },
    ],
  ])('is refused when it is %s', (_, text, problem) => {
    expect(refused(text)).toContainEqual(expect.objectContaining(problem));
  });

  it.each<[string, unknown, string, RegExp]>([
    ['is no object', 5, '/flags/a', /must be an object/],
    ['has no variants', { state: 'ENABLED' }, '/flags/a/variants', /must be an object of values/],
    [
      'has variants of two kinds',
      { state: 'ENABLED', variants: { a: 1, b: 'x' } },
      '/flags/a/variants',
      /number and string/,
    ],
    [
      'has a default that is no variant',
      { ...booleanFlag(), defaultVariant: 'maybe' },
      '/flags/a/defaultVariant',
      /no variant "maybe"/,
    ],
    [
      'has an operation that does not exist',
      booleanFlag({ if: [{ nope: [1] }, 'on'] }),
      '/flags/a/targeting/if/0/nope',
      /no operation "nope"/,
    ],
    [
      'has rules that come to no variant',
      booleanFlag({ if: [true, 'on', 'of'] }),
      '/flags/a/targeting/if/2',
      /no variant "of"/,
    ],
    [
      'has a share for no variant',
      booleanFlag({
        fractional: [
          ['onn', 1],
          ['off', 1],
        ],
      }),
      '/flags/a/targeting/fractional/0/0',
      /no variant "onn"/,
    ],
    [
      'has half a weight',
      booleanFlag({
        fractional: [
          ['on', 2.5],
          ['off', 1],
        ],
      }),
      '/flags/a/targeting/fractional/0/1',
      /whole number/,
    ],
    ['has rules that flagd’s schema refuses', booleanFlag({ sem_ver: [1] }), '/flags/a/targeting/sem_ver', /./],
    ['requires a flag that is not there', requiring('b'), '/flags/a/metadata/requires', /no flag "b"/],
    ['requires a variant that is not there', requiring('good=x'), '/flags/a/metadata/requires', /no variant "x"/],
    ['requires itself', requiring('a'), '/flags/a/metadata/requires', /in a circle: a → a/],
  ])('is refused whole when one flag %s', (_, flag, pointer, message) => {
    expect(problemsOf({ flags: { good: booleanFlag(), a: flag } })).toEqual([
      { pointer, message: expect.stringMatching(message) as string },
    ]);
  });

  it('is refused for a circle of prerequisites, which is named once', () => {
    const flags = { a: requiring('b'), b: requiring('c'), c: requiring('a'), d: requiring('a') };
    expect(problemsOf({ flags })).toEqual([
      { pointer: expect.any(String) as string, message: 'the flags require each other in a circle: a → b → c → a' },
    ]);
  });

  it('may require flags of the configuration, and may not close a circle with them', () => {
    expect(problemsOf({ flags: { a: requiring('b') } }, { under: { b: booleanFlag() } })).toEqual([]);
    expect(problemsOf({ flags: { a: requiring('b') } }, { under: { b: requiring('a') } })).toHaveLength(1);
  });

  it('is taken with a chain of prerequisites of any length', () => {
    const chain = Array.from({ length: 2_000 }, (_, at) => [
      `f${at}`,
      at === 0 ? booleanFlag() : requiring(`f${at - 1}`),
    ]);
    expect(() =>
      checkFlagDocument({ flags: Object.fromEntries(chain) as object }, { source: 'the spec' }),
    ).not.toThrow();
  });

  it('is refused when a flag would ask others without end, though in no circle', () => {
    const levels = Array.from({ length: 40 }, (_, at) =>
      ['l', 'r'].map(side => [`${side}${at}`, at === 0 ? booleanFlag() : requiring(`l${at - 1}, r${at - 1}`)] as const),
    );
    expect(problemsOf({ flags: Object.fromEntries(levels.flat()) })[0]?.message).toMatch(/more than 10000 flags/);
  });

  const shared = ($evaluators: object, rule: unknown = { $ref: 'e' }) =>
    problemsOf({ flags: { a: booleanFlag({ if: [rule, 'on', 'off'] }) }, $evaluators });

  it('is taken with shared rules that use each other, in whatever order they stand', () => {
    const [e, f] = [{ and: [{ $ref: 'f' }, true] }, { '==': [1, 1] }];
    expect(shared({ e, f })).toEqual([]);
    expect(shared({ f, e })).toEqual([]);
  });

  it.each<[string, object, string, RegExp]>([
    ['do not exist', {}, '/flags/a/targeting/if/0', /no "e" in \$evaluators/],
    ['are themselves', { e: { and: [{ $ref: 'e' }, true] } }, '/$evaluators/e/and/0', /in a circle: e → e/],
    [
      'are each other',
      { e: { and: [{ $ref: 'f' }, true] }, f: { or: [{ $ref: 'e' }, false] } },
      '/$evaluators/f/or/0',
      /in a circle: e → f → e/,
    ],
    [
      'double each other without end',
      Object.fromEntries(
        ['e', ...Array.from({ length: 40 }, (_, at) => `e${at}`)].map((name, at) => {
          const next = { $ref: `e${at}` };
          return [name, at === 40 ? { '==': [1, 1] } : { and: [next, next] }];
        }),
      ),
      '/$evaluators',
      /more than 300000 parts/,
    ],
  ])('is refused with shared rules that %s', (_, evaluators, pointer, message) => {
    expect(shared(evaluators)).toContainEqual({ pointer, message: expect.stringMatching(message) as string });
  });

  it('is refused when it is longer than can be read in some seconds, or deeper than can be read at all', () => {
    expect(refused(' '.repeat(10_000_000))).toEqual([
      { pointer: '', message: 'it has 10000000 characters, and at most 4194304 are taken' },
    ]);
    expect(refused('['.repeat(200_000))).toEqual([{ pointer: '', message: 'it is nested far too deep' }]);
  });

  it('is refused when it is nested without end', () => {
    let rule: unknown = true;
    for (let depth = 0; depth < 5_000; depth += 1) rule = { '!': [rule] };
    expect(problemsOf({ flags: { a: booleanFlag({ if: [rule, 'on'] }) } })[0]?.message).toMatch(/100 levels/);
  });
});

describe('flags in the configuration', () => {
  it.each([
    [{ a: { rollout: 120 } }, 'featureFlags.flags.a.rollout'],
    [{ a: { users: 'ann' } }, 'featureFlags.flags.a.users'],
    [{ a: { rollout: 5, user: ['ann'] } }, 'featureFlags.flags.a.user: expected rollout, users, roles, requires'],
    [{ a: [] }, '/flags/a: must be an object'],
    [{ a: { rollout: 1, requires: 'b' } }, 'there is no flag "b"'],
    [{ a: { state: 'ENABLED', variants: {} } }, '/flags/a'],
  ])('fail the boot with their place when they are not valid', async (flags, place) => {
    await expect(bootInfra(FeatureFlagsModule.forRoot({ flags: flags as never }))).rejects.toThrow(place);
  });
});
