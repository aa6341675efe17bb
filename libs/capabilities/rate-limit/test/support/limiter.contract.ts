import { type InfraApp, uniqueName } from '@core-infra/testing';
import { InvalidLimitError, type LimitRule, RateLimiter } from '@core-infra/rate-limit';

/** Hours long, so that nothing comes back while a spec runs. */
const HOUR_MS = 3_600_000;

const hourly = (limit: number, name = uniqueName('hourly')): LimitRule => ({
  name,
  windows: [{ limit, windowMs: HOUR_MS }],
});

/** What every driver promises. @param by what its decisions say */
export function limiterContract(driver: string, by: 'memory' | 'redis', boot: () => Promise<InfraApp>): void {
  describe(`a rate limiter on ${driver}`, () => {
    let app: InfraApp;
    let limiter: RateLimiter;
    beforeAll(async () => {
      app = await boot();
      limiter = app.get(RateLimiter);
    });
    afterAll(() => app.close());

    const allowed = async (rule: LimitRule, key: string, times: number, cost?: number): Promise<number> => {
      const decisions = await Promise.all(Array.from({ length: times }, () => limiter.consume(rule, key, { cost })));
      return decisions.filter(decision => decision.allowed).length;
    };

    it('lets the limit pass at once, and says what is left and when it is back', async () => {
      const rule = hourly(3);
      const decisions = [];
      for (let count = 0; count < 3; count += 1) decisions.push(await limiter.consume(rule, 'ann'));
      expect(decisions.map(({ allowed, retryAfterMs, by: decidedBy }) => [allowed, retryAfterMs, decidedBy])).toEqual(
        Array(3).fill([true, 0, by]),
      );
      expect(decisions.map(({ windows }) => windows[0]!.remaining)).toEqual([2, 1, 0]);
      const last = decisions[2]!.windows[0]!;
      expect(last).toMatchObject({ limit: 3, windowMs: HOUR_MS });
      expect(last.resetMs).toBeGreaterThan(HOUR_MS - 30_000);
      expect(last.resetMs).toBeLessThanOrEqual(HOUR_MS);
    });

    it('refuses what is more, until the first unit is back', async () => {
      const rule = hourly(2);
      expect(await allowed(rule, 'ann', 2)).toBe(2);
      const refused = await limiter.consume(rule, 'ann');
      expect(refused).toMatchObject({ allowed: false, windows: [{ remaining: 0 }], by });
      expect(refused.retryAfterMs).toBeGreaterThan(HOUR_MS / 2 - 30_000);
      expect(refused.retryAfterMs).toBeLessThanOrEqual(HOUR_MS / 2);
    });

    it('admits exactly the limit of a burst', async () => {
      expect(await allowed(hourly(100), 'ann', 250)).toBe(100);
    });

    it('lets one pass again as soon as it said', async () => {
      const rule: LimitRule = { name: uniqueName('quick'), windows: [{ limit: 1, windowMs: 40 }] };
      const waits: number[] = [];
      for (let passed = 0; passed < 3;) {
        const decision = await limiter.consume(rule, 'ann');
        if (decision.allowed) passed += 1;
        else {
          waits.push(decision.retryAfterMs);
          await new Promise(done => setTimeout(done, decision.retryAfterMs));
        }
      }
      expect(waits.every(wait => wait >= 1 && wait <= 40)).toBe(true);
    });

    it('tells callers and rules apart', async () => {
      const [one, other] = [hourly(1), hourly(1)];
      expect(await allowed(one, 'ann', 2)).toBe(1);
      expect(await allowed(one, 'ben', 2)).toBe(1);
      expect(await allowed(other, 'ann', 2)).toBe(1);
      expect(await allowed({ ...one, windows: [{ limit: 1, windowMs: HOUR_MS / 2 }] }, 'ann', 2)).toBe(1);
    });

    it('holds several windows, and takes from all of them or from none', async () => {
      const rule: LimitRule = {
        name: uniqueName('several'),
        windows: [
          { limit: 5, windowMs: HOUR_MS },
          { limit: 3, windowMs: 2 * HOUR_MS },
        ],
      };
      expect(await allowed(rule, 'ann', 3)).toBe(3);
      for (let again = 0; again < 5; again += 1) {
        const { allowed: passes, windows } = await limiter.consume(rule, 'ann');
        expect([passes, ...windows.map(({ remaining }) => remaining)]).toEqual([false, 2, 0]);
      }
    });

    it('takes what a request costs, whole or not at all', async () => {
      const rule = hourly(10);
      expect(await allowed(rule, 'ann', 1, 7)).toBe(1);
      expect(await limiter.consume(rule, 'ann', { cost: 4 })).toMatchObject({
        allowed: false,
        windows: [{ remaining: 3 }],
      });
      expect(await limiter.consume(rule, 'ann', { cost: 3 })).toMatchObject({
        allowed: true,
        windows: [{ remaining: 0 }],
      });
    });

    it('asks without taking at a cost of 0', async () => {
      const rule = hourly(1);
      for (let again = 0; again < 3; again += 1) {
        expect(await limiter.consume(rule, 'ann', { cost: 0 })).toMatchObject({
          allowed: true,
          windows: [{ remaining: 1, resetMs: 0 }],
        });
      }
      await limiter.consume(rule, 'ann');
      const asked = await limiter.consume(rule, 'ann', { cost: 0 });
      expect(asked).toMatchObject({ allowed: false, windows: [{ remaining: 0 }], by });
      expect(asked.retryAfterMs).toBeGreaterThan(0);
    });

    it.each([3, 1_000_000_000, Infinity])(
      'refuses a cost of %p, above the limit, for ever, and takes nothing',
      async cost => {
        const rule = hourly(2);
        expect(await limiter.consume(rule, 'ann', { cost })).toMatchObject({
          allowed: false,
          retryAfterMs: Infinity,
          windows: [{ remaining: 2 }],
        });
        expect(await allowed(rule, 'ann', 3)).toBe(2);
      },
    );

    it('gives everything back on reset', async () => {
      const rule = hourly(2);
      expect(await allowed(rule, 'ann', 3)).toBe(2);
      expect(await limiter.consume(rule, 'ann')).toMatchObject({ allowed: false });
      await limiter.reset(rule, 'ann');
      expect(await allowed(rule, 'ann', 3)).toBe(2);
    });

    it('keeps the count when a limit is changed', async () => {
      const rule = hourly(4);
      expect(await allowed(rule, 'ann', 4)).toBe(4);
      const raised = { ...rule, windows: [{ limit: 6, windowMs: HOUR_MS }] };
      expect(await allowed(raised, 'ann', 4)).toBe(2);
      const lowered = { ...rule, windows: [{ limit: 1, windowMs: HOUR_MS }] };
      const refused = await limiter.consume(lowered, 'ann');
      expect(refused).toMatchObject({ allowed: false, windows: [{ remaining: 0 }] });
      expect(refused.retryAfterMs).toBeGreaterThan(5 * HOUR_MS - 30_000);
    });

    it.each([
      ['control characters', '\u0000\u0007\u001b[2J'],
      ['line breaks', 'a\r\nDEL everything\r\n'],
      ['braces and blanks', '{a}{b} c'],
      ['10 KB', 'k'.repeat(10_240)],
      ['half a character', 'a\ud800'],
      ['nothing', ''],
    ])('takes a key of %s', async (_what, key) => {
      const rule = hourly(1);
      expect(await allowed(rule, key, 2)).toBe(1);
      expect(await allowed(rule, `${key}!`, 2)).toBe(1);
      await limiter.reset(rule, key);
      expect(await allowed(rule, key, 2)).toBe(1);
    });

    it.each([-1, 0.5, Number.NaN, -Infinity])('rejects a cost of %p', async cost => {
      await expect(limiter.consume(hourly(1), 'ann', { cost })).rejects.toThrow(
        `has cost = ${cost}, where a whole number of at least 0 is expected.`,
      );
    });

    it('rejects a rule that cannot be meant so', async () => {
      await expect(limiter.consume({ name: 'none', windows: [] }, 'ann')).rejects.toBeInstanceOf(InvalidLimitError);
    });
  });
}
