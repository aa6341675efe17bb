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
    await eventually(() => expect(ended[1]).toEqual([expect.any(HandlerTimeoutError)]));
    limits.begin(third!);
    expect([ended[2], third!.signal.aborted]).toEqual([[], false]);
    await eventually(() => expect(ended[2]).toEqual([expect.any(HandlerTimeoutError)]));
    expect(third!.signal.reason).toBe(ended[2]![0]);
    expect(ended[0]).toEqual([]);
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
