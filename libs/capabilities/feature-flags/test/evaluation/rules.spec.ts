import type { Clock } from '@core-infra/kernel';
import { Logger } from '@nestjs/common';
import { documentOf } from '../../src/evaluation/settings.js';
import { booleanFlag, engineOf } from '../support/compile.js';

const on = (condition: unknown) => booleanFlag({ if: [condition, 'on', 'off'] });

describe('rules', () => {
  it.each<[string, unknown, object, object]>([
    [
      'lists of users',
      { in: [{ var: 'targetingKey' }, ['ann', 'bob']] },
      { targetingKey: 'bob' },
      { targetingKey: 'eve' },
    ],
    ['attributes', { '==': [{ var: 'plan' }, 'pro'] }, { plan: 'pro' }, { plan: 'free' }],
    ['attributes within attributes', { '==': [{ var: 'org.plan' }, 'pro'] }, { org: { plan: 'pro' } }, { org: {} }],
    ['ends of texts', { ends_with: [{ var: 'email' }, '@x.org'] }, { email: 'a@x.org' }, { email: 'a@x.com' }],
    ['roles', { in: ['staff', { var: 'roles' }] }, { roles: ['staff'] }, { roles: ['guest'] }],
    ['versions', { sem_ver: [{ var: 'version' }, '^', '2.1.0'] }, { version: '2.9.1' }, { version: '3.0.0' }],
    ['numbers', { '>': [{ var: 'age' }, 17] }, { age: 18 }, { age: 17 }],
  ])('look at %s', (_, condition, yes, no) => {
    const flags = engineOf({ a: on(condition) });
    expect(flags.details('a', false, yes as never)).toMatchObject({ value: true, reason: 'TARGETING_MATCH' });
    expect(flags.isEnabled('a', no as never, true)).toBe(false);
  });

  it('look at the app that runs', () => {
    const flags = engineOf({
      a: on({ sem_ver: [{ var: 'app.version' }, '>=', '2.3.0'] }),
      b: on({ '==': [{ var: 'app.environment' }, 'staging'] }),
      c: on({ '==': [{ var: 'app.name' }, 'payments'] }),
    });
    expect(['a', 'b', 'c'].map(flag => flags.isEnabled(flag))).toEqual([true, true, false]);
  });

  it('look at the running request, and at what is passed before that', () => {
    const request = { userId: 'ann', tenantId: 'acme' };
    const flags = engineOf(
      {
        user: on({ in: [{ var: 'targetingKey' }, ['ann']] }),
        tenant: on({ '==': [{ var: 'tenantId' }, 'acme'] }),
        both: on({ and: [{ '==': [{ var: 'userId' }, 'ann'] }, { '==': [{ var: 'targetingKey' }, 'ann'] }] }),
      },
      { request },
    );
    expect(['user', 'tenant', 'both'].map(flag => flags.isEnabled(flag))).toEqual([true, true, true]);
    expect(flags.isEnabled('user', { targetingKey: 'bob' }, true)).toBe(false);
    expect(flags.isEnabled('user', { targetingKey: undefined })).toBe(true);
    expect(flags.isEnabled('tenant', { tenantId: 'other' }, true)).toBe(false);
    expect(flags.isEnabled('both', { targetingKey: '' }, true)).toBe(false);
  });

  it('are shared through $evaluators', async () => {
    const { parseFlagDocument } = await import('../../src/evaluation/validate.js');
    const document = parseFlagDocument(
      JSON.stringify({
        $evaluators: { staff: { in: ['staff', { var: 'roles' }] } },
        flags: { a: on({ $ref: 'staff' }) },
      }),
      { source: 'the spec' },
    );
    expect(document.flags['a']).toEqual(on({ $ref: 'staff' }));
  });

  it('open and close a window of time, by the clock of the app', () => {
    let nowMs = 0;
    const clock: Clock = { now: () => nowMs, monotonic: () => nowMs };
    const [from, until] = [Date.UTC(2030, 0, 1) / 1_000, Date.UTC(2030, 1, 1) / 1_000];
    const time = { var: '$flagd.timestamp' };
    const flags = engineOf({ sale: on({ and: [{ '>=': [time, from] }, { '<': [time, until] }] }) }, { clock });
    const at = (seconds: number) => {
      nowMs = seconds * 1_000;
      return flags.isEnabled('sale');
    };
    expect([from - 1, from, until - 1, until].map(at)).toEqual([false, true, true, false]);
  });

  it('count for nothing while a flag is switched off: the caller decides', () => {
    const flags = engineOf({ a: { ...booleanFlag(), defaultVariant: 'on', state: 'DISABLED' } });
    expect(flags.isEnabled('a')).toBe(false);
    expect(flags.isEnabled('a', {}, true)).toBe(true);
    expect(flags.details('a', true)).toMatchObject({ value: true, variant: undefined, reason: 'DISABLED' });
  });

  it('without an answer and without a default leave it to the caller', () => {
    const flags = engineOf({ a: { ...booleanFlag(), defaultVariant: null } });
    expect(flags.details('a', true)).toMatchObject({ value: true, variant: undefined, reason: 'DEFAULT' });
  });
});

describe('prerequisites', () => {
  const flags = engineOf({
    ...documentOf({
      payments: { users: ['ann', 'bob'] },
      cards: { rollout: 100, requires: 'payments' },
      wallet: { rollout: 100, requires: 'cards, theme=dark' },
      theme: {
        state: 'ENABLED',
        variants: { light: 1, dark: 2 },
        targeting: { if: [{ '==': [{ var: 'targetingKey' }, 'ann'] }, 'dark', 'light'] },
      },
      orphan: { rollout: 100, requires: 'off' },
      off: { state: 'DISABLED', variants: { on: true, off: false }, defaultVariant: 'on' },
    }).flags,
  });

  it('must be on, all of them, and theirs too', () => {
    const answers = (targetingKey: string) => ['cards', 'wallet'].map(flag => flags.isEnabled(flag, { targetingKey }));
    expect(answers('ann')).toEqual([true, true]);
    expect(answers('bob')).toEqual([true, false]);
    expect(answers('eve')).toEqual([false, false]);
  });

  it('that are not met leave it to the caller, as a flag that is switched off does', () => {
    expect(flags.details('cards', true, { targetingKey: 'eve' })).toMatchObject({
      value: true,
      variant: undefined,
      reason: 'PREREQUISITE_FAILED',
    });
    expect(flags.details('orphan', false, { targetingKey: 'ann' }).reason).toBe('PREREQUISITE_FAILED');
  });
});

describe('an answer that cannot be given', () => {
  let warnings: jest.SpyInstance;
  beforeEach(() => {
    warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  });
  afterEach(() => jest.restoreAllMocks());

  it('is the fallback for an unknown flag, with one log line for each name', () => {
    const flags = engineOf({});
    for (let call = 0; call < 5; call += 1) {
      expect(flags.isEnabled('nobody')).toBe(false);
      expect(flags.isEnabled('nobody', {}, true)).toBe(true);
      expect(flags.value('other', 'x')).toBe('x');
      expect(flags.variant('nobody')).toBeUndefined();
    }
    expect(flags.details('nobody', 1)).toMatchObject({ value: 1, reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' });
    expect(warnings.mock.calls.map(([message]) => message as string)).toEqual([
      'There is no flag "nobody": the fallback is used',
      'There is no flag "other": the fallback is used',
    ]);
  });

  it('is the fallback for a value of another type, with one log line', () => {
    const flags = engineOf(documentOf({ banner: 'a' }).flags);
    expect(flags.isEnabled('banner', {}, true)).toBe(true);
    expect(flags.isEnabled('banner')).toBe(false);
    expect(flags.value('banner', 5)).toBe(5);
    expect(flags.details('banner', 5)).toMatchObject({ value: 5, variant: undefined, errorCode: 'TYPE_MISMATCH' });
    expect(warnings).toHaveBeenCalledTimes(1);
    expect(warnings.mock.calls[0]?.[0]).toBe(
      'The flag "banner" is a string, and a boolean was asked for: the fallback is used',
    );
  });

  it.each(['a\nb', 'a\u0000', '__proto__', 'constructor', '', 'x'.repeat(10_000)])(
    'is the fallback for any name',
    name => {
      const flags = engineOf({});
      expect(flags.isEnabled(name, {}, true)).toBe(true);
      const [message] = warnings.mock.calls[0] as [string];
      expect(message).not.toMatch(/\p{Cc}/u);
      expect(message.length).toBeLessThan(300);
    },
  );

  it('is logged for so many names and no more', () => {
    const flags = engineOf({});
    for (let count = 0; count < 5_000; count += 1) flags.isEnabled(`made-up-${count}`);
    expect(warnings).toHaveBeenCalledTimes(1_001);
  });

  it('never shows what a caller sent', () => {
    const flags = engineOf({ a: booleanFlag({ var: 'email' }) });
    expect(flags.details('a', true, { email: 'ann@secret.org' })).toMatchObject({ value: true, errorCode: 'GENERAL' });
    expect(JSON.stringify([warnings.mock.calls, flags.details('a', true, { email: 'ann@secret.org' })])).not.toContain(
      'ann@',
    );
  });
});

describe('who asks', () => {
  const rules = { fast: { in: [{ var: 'email' }, ['a']] }, slow: { '==': [{ var: 'email' }, 'a'] } };

  it.each(Object.entries(rules))('may be anything, without an error (%s rules)', (_, condition) => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const flags = engineOf({ a: on(condition), b: documentOf({ b: { rollout: 50 } }).flags['b']! });
    const circle: Record<string, unknown> = { email: 1n };
    circle['self'] = circle;
    expect(flags.isEnabled('a', circle)).toBe(false);
    const throwing = {
      get email(): string {
        throw new Error('ann@secret.org');
      },
    };
    const details = flags.details('a', true, throwing);
    expect(details).toMatchObject({ value: true, reason: 'ERROR', errorCode: 'GENERAL' });
    expect(JSON.stringify(details)).not.toContain('ann@');
    expect(flags.details('b', true, { targetingKey: Symbol('x') as never })).toMatchObject({ errorCode: 'GENERAL' });
    jest.restoreAllMocks();
  });
});

describe('values', () => {
  it('cannot be changed by who is handed them', () => {
    const flags = engineOf(
      documentOf({ limits: { state: 'ENABLED', variants: { all: { max: 5 } }, defaultVariant: 'all' } }).flags,
    );
    const value = flags.value<{ max: number }>('limits', { max: 0 });
    expect(() => (value.max = 6)).toThrow(TypeError);
    expect(flags.value('limits', {})).toEqual({ max: 5 });
  });
});
