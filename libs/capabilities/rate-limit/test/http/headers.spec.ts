import fc from 'fast-check';
import { policyField, rateLimitField, retryAfterField } from '../../src/http/rate-limit.headers.js';
import { structuredList } from './support.js';

const minute = 60_000;
const windowOf = (remaining: number, resetMs: number, limit = 100, windowMs = minute) => ({
  policy: 'default',
  state: { limit, windowMs, remaining, resetMs },
});

describe('the fields of the draft', () => {
  it.each([
    ['half is left: it comes back as fast as it may be used', windowOf(50, 30_000), undefined, '"default";r=50;t=30'],
    ['all is left', windowOf(100, 0), undefined, '"default";r=100;t=60'],
    ['nothing is left: until there is more', windowOf(0, minute), undefined, '"default";r=0;t=1'],
    ['nothing is left of few', windowOf(0, minute, 2), undefined, '"default";r=0;t=30'],
    ['refused, and the draft wants no later time than Retry-After', windowOf(3, 58_000), 400, '"default";r=3;t=1'],
  ])('%s', (_what, window, retryAfterMs, expected) => {
    expect(rateLimitField([window], retryAfterMs)).toBe(expected);
  });

  it('announce windows in whole seconds, never a faster pace than the limit’s', () => {
    const windows = [1, 999, 1_000, 1_001, 90_500].map(windowMs => windowOf(1, 0, 10, windowMs));
    expect(structuredList(policyField(windows)).map(({ w }) => w)).toEqual([1, 1, 1, 2, 91]);
  });

  it('ask for Retry-After in whole seconds, rounded up, at least one', () => {
    expect([0, 1, 1_000, 1_001, 59_999].map(retryAfterField)).toEqual(['1', '1', '1', '2', '60']);
  });

  it('advise no client to go faster than the limit refills, and none to come later than Retry-After', () => {
    const state = fc.record({
      limit: fc.integer({ min: 1, max: 10_000 }),
      windowMs: fc.integer({ min: 1, max: 86_400_000 }),
    });
    fc.assert(
      fc.property(state, fc.double({ min: 0, max: 1, noNaN: true }), ({ limit, windowMs }, share) => {
        const resetMs = Math.ceil(windowMs * share);
        const remaining = Math.floor((limit * (windowMs - resetMs)) / windowMs);
        const [item] = structuredList(rateLimitField([windowOf(remaining, resetMs, limit, windowMs)]));
        expect(Number(item!.r) / (limit / windowMs)).toBeLessThanOrEqual(Number(item!.t) * 1_000 + 1e-6);
        const [refused] = structuredList(rateLimitField([windowOf(remaining, resetMs, limit, windowMs)], 1_500));
        expect(Number(refused!.t)).toBeLessThanOrEqual(2);
      }),
    );
  });
});
