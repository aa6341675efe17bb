import { eventually } from '@core-infra/testing';
import { Deadlines } from '../../src/availability/deadlines.js';

describe('deadlines', () => {
  it('overrun in their order, unless they are met before', async () => {
    const deadlines = new Deadlines();
    const overran: string[] = [];
    const met = deadlines.in(20, () => overran.push('met'));
    const began = performance.now();
    deadlines.in(40, () => overran.push('later'));
    deadlines.in(20, () => overran.push('first'));
    deadlines.in(20, () => overran.push('second'));
    met.meet();
    expect(met.isMet).toBe(true);
    met.meet();
    await eventually(() => expect(overran).toEqual(['first', 'second', 'later']), { intervalMs: 5 });
    expect(performance.now() - began).toBeGreaterThanOrEqual(40);
    // The timer of 20 ms had nothing to do any more.
    deadlines.in(20, () => overran.push('again'));
    await eventually(() => expect(overran.at(-1)).toBe('again'), { intervalMs: 5 });
  });

  it('a first one that is met does not take those behind it along', async () => {
    const deadlines = new Deadlines();
    const overran: number[] = [];
    const first = deadlines.in(30, () => overran.push(1));
    await new Promise(resolve => setTimeout(resolve, 15));
    const began = performance.now();
    deadlines.in(30, () => overran.push(2));
    first.meet();
    await eventually(() => expect(overran).toEqual([2]), { intervalMs: 1 });
    expect(performance.now() - began).toBeGreaterThanOrEqual(30);
  });

  it.each([NaN, -1, 0, 0.4])('of %d ms is due at once', async ms => {
    const overrun = jest.fn();
    new Deadlines().in(ms, overrun);
    await eventually(() => expect(overrun).toHaveBeenCalledTimes(1), { intervalMs: 1, timeoutMs: 1_000 });
  });

  it('end() lets all overrun at once; those without end never do by themselves', async () => {
    const deadlines = new Deadlines();
    const overran: string[] = [];
    deadlines.in(Infinity, () => overran.push('without end'));
    deadlines.in(60_000, () => overran.push('long'));
    await new Promise(resolve => setTimeout(resolve, 10));
    expect(overran).toEqual([]);
    deadlines.end();
    expect(overran).toEqual(['without end', 'long']);
    deadlines.end();
    expect(overran).toHaveLength(2);
  });
});
