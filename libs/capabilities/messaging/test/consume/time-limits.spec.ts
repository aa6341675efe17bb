import { eventually } from '@core-infra/testing';
import { HandlerTimeoutError } from '../../src/errors.js';
import { Limit } from '../../src/consume/limit.js';
import { TimeLimits } from '../../src/consume/time-limits.js';
import { handlerWith } from './member.js';

const noting = (ended: unknown[]): Limit =>
  Object.assign(new Limit(), { onAbort: (error: unknown) => ended.push(error) });

describe('time limits of attempts', () => {
  it('end each attempt that takes too long, and none that has ended', async () => {
    const limits = new TimeLimits(handlerWith({ timeoutMs: 20 }));
    const ended: unknown[][] = [[], [], []];
    const [first, second, third] = ended.map(noting);
    limits.begin(first!);
    limits.begin(second!);
    limits.end(first!);
    limits.end(first!);
    await eventually(() => expect(ended[1]).toEqual([expect.any(HandlerTimeoutError)]));
    limits.begin(third!);
    expect([ended[2], third!.signal.aborted]).toEqual([[], false]);
    await eventually(() => expect(ended[2]).toEqual([expect.any(HandlerTimeoutError)]));
    expect(third!.signal.reason).toBe(ended[2]![0]);
    expect(ended[0]).toEqual([]);
  });

  it('end all that are over, whichever of them has ended before, and in their order', async () => {
    const limits = new TimeLimits(handlerWith({ timeoutMs: 20 }));
    const order: number[] = [];
    const all = Array.from({ length: 6 }, (_, at) =>
      Object.assign(new Limit(), { onAbort: () => void order.push(at) }),
    );
    for (const limit of all) limits.begin(limit);
    for (const at of [2, 0, 5, 2]) limits.end(all[at]!);
    await eventually(() => expect(order).toEqual([1, 3, 4]));
    const late = Object.assign(new Limit(), { onAbort: () => void order.push(6) });
    limits.begin(late);
    await eventually(() => expect(order).toEqual([1, 3, 4, 6]));
  });

  it('end each at its own time, though another begins as one ends', () => {
    jest.useFakeTimers();
    try {
      const limits = new TimeLimits(handlerWith({ timeoutMs: 100 }));
      const ended: [string, number][] = [];
      const note = (name: string): void => void ended.push([name, performance.now() - start]);
      const start = performance.now();
      const third = Object.assign(new Limit(), { onAbort: () => note('third') });
      const onFirst = (): void => {
        note('first');
        limits.begin(third);
      };
      limits.begin(Object.assign(new Limit(), { onAbort: onFirst }));
      jest.advanceTimersByTime(30);
      limits.begin(Object.assign(new Limit(), { onAbort: () => note('second') }));
      jest.advanceTimersByTime(1_000);
      expect(ended).toEqual([
        ['first', 100],
        ['second', 130],
        ['third', 200],
      ]);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('end none once they are stopped', async () => {
    const limits = new TimeLimits(handlerWith({ timeoutMs: 1 }));
    const stopped = new TimeLimits(handlerWith({ timeoutMs: 1 }));
    const ended: unknown[][] = [[], []];
    const [running, left] = ended.map(noting);
    stopped.begin(left!);
    stopped.stop();
    limits.begin(running!);
    await eventually(() => expect(ended[0]).toHaveLength(1));
    expect(ended[1]).toEqual([]);
  });
});

describe('the limit of an attempt', () => {
  it('is reached once, with the first reason', () => {
    const ended: unknown[] = [];
    const limit = noting(ended);
    const { signal } = limit;
    limit.abort('first');
    limit.abort('second');
    expect([ended, signal.reason]).toEqual([['first'], 'first']);
  });

  it('gives a signal that says so, though it is read only afterwards', () => {
    const limit = new Limit();
    limit.abort('over');
    expect(limit.signal).toMatchObject({ aborted: true, reason: 'over' });
    expect(limit.signal).toBe(limit.signal);
  });
});
