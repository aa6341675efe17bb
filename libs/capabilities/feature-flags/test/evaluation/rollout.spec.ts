import { join } from 'node:path';
import fc from 'fast-check';
import { runChild } from '@core-infra/testing';
import { documentOf } from '../../src/evaluation/settings.js';
import { withRollout } from '../../src/index.js';
import { booleanFlag, engineOf } from '../support/compile.js';

const users = Array.from({ length: 10_000 }, (_, index) => `user-${index}`);

function usersAt(rollout: number, flag: string = 'new-dashboard'): Set<string> {
  const flags = engineOf(documentOf({ [flag]: { rollout } }).flags);
  return new Set(users.filter(targetingKey => flags.isEnabled(flag, { targetingKey })));
}

describe('a rollout', () => {
  it('never switches a user back on its way from 0 to 100 percent', () => {
    let before = new Set<string>();
    for (const percent of [0, 0.001, 0.5, 1, 2, 3, 5, 7.5, 10, 20, 25, 33.333, 50, 66, 80, 90, 99, 99.5, 100]) {
      const now = usersAt(percent);
      expect([...before].filter(user => !now.has(user))).toEqual([]);
      expect(Math.abs(now.size - percent * 100)).toBeLessThan(150);
      before = now;
    }
    expect(before.size).toBe(users.length);
    expect(usersAt(0).size).toBe(0);
  });

  it('never switches a user back in any steps, of any users', () => {
    const steps = fc.tuple(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 100_000 }));
    fc.assert(
      fc.property(steps, fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 50 }), (pair, some) => {
        const [low, high] = pair.sort((a, b) => a - b).map(step => step / 1_000) as [number, number];
        const [lower, higher] = [low, high].map(rollout => engineOf(documentOf({ a: { rollout } }).flags));
        const lost = some.filter(
          targetingKey => lower?.isEnabled('a', { targetingKey }) && !higher?.isEnabled('a', { targetingKey }),
        );
        return lost.length === 0;
      }),
    );
    expect(usersAt(100).size).toBe(users.length);
  });

  it.each(['new-dashboard', 'launch', 'a'])('of 20 percent is on for 20 ± 1 percent of 10,000 users: %s', flag => {
    expect(Math.abs(usersAt(20, flag).size / users.length - 0.2)).toBeLessThan(0.01);
  });

  it('takes other users for another flag', () => {
    const [one, two] = [usersAt(20, 'one'), usersAt(20, 'two')];
    const both = [...one].filter(user => two.has(user)).length;
    expect(Math.abs(both / users.length - 0.04)).toBeLessThan(0.01);
  });

  it('is the same in every process', async () => {
    const results = await Promise.all(
      [1, 2].map(async () => {
        await using child = runChild(join(__dirname, '../fixtures/rollout.main.ts'));
        const [, digest] = await child.waitForLine(/^users: (\w{64} \d+)$/);
        return digest;
      }),
    );
    expect(results[0]).toMatch(/ \d{4}$/);
    expect(results[1]).toBe(results[0]);
  });

  it('gives who is nobody in particular the default variant', () => {
    const flags = engineOf(documentOf({ a: { rollout: 99 } }).flags);
    expect(flags.details('a', true)).toMatchObject({ value: false, variant: 'off', reason: 'DEFAULT' });
    expect(flags.isEnabled('a', { targetingKey: '' })).toBe(false);
  });
});

describe('another percentage for a flag', () => {
  it('moves the rollout within its rules, and keeps all else', () => {
    const flag = booleanFlag({
      if: [
        { in: [{ var: 'targetingKey' }, ['ann']] },
        'on',
        { fractional: [{ var: 'email' }, ['off', 90], ['on', 10]] },
      ],
    });
    expect(withRollout(flag, 30)).toEqual({
      ...flag,
      targeting: {
        if: [
          { in: [{ var: 'targetingKey' }, ['ann']] },
          'on',
          { fractional: [{ var: 'email' }, ['off', 70], ['on', 30]] },
        ],
      },
    });
  });

  it('never switches a user back, also where "off" came first', () => {
    const flag = booleanFlag({
      fractional: [
        ['off', 9],
        ['on', 1],
      ],
    });
    const [before, after] = [engineOf({ a: flag }), engineOf({ a: withRollout(flag, 35.5) })];
    const lost = users.filter(
      targetingKey => before.isEnabled('a', { targetingKey }) && !after.isEnabled('a', { targetingKey }),
    );
    expect(lost).toEqual([]);
    expect(users.filter(targetingKey => before.isEnabled('a', { targetingKey })).length).toBeGreaterThan(900);
  });

  it('gives a flag without a percentage one behind its rules', () => {
    const ann = { in: [{ var: 'targetingKey' }, ['ann']] };
    const split = {
      fractional: [
        ['on', 30],
        ['off', 70],
      ],
    };
    expect(withRollout(booleanFlag(), 30).targeting).toEqual(split);
    expect(withRollout(booleanFlag({ if: [ann, 'on', 'off'] }), 30).targeting).toEqual({ if: [ann, 'on', split] });
    expect(withRollout(booleanFlag({ if: [ann, 'on'] }), 30).targeting).toEqual({ if: [ann, 'on', split] });
  });

  it('refuses what is no percentage, and flags that are not on or off', () => {
    expect(() => withRollout(booleanFlag(), 101)).toThrow(RangeError);
    expect(() => withRollout(booleanFlag(), Number.NaN)).toThrow(RangeError);
    expect(() => withRollout({ state: 'ENABLED', variants: { a: 'A' } }, 10)).toThrow(RangeError);
  });
});
