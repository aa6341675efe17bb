import { Pace } from '../../src/consume/pace.js';
import { Slots } from '../../src/consume/slots.js';

/** Slots, and attempts of which the spec says how many hang. */
function given(concurrency: number, overflow: number, hasRoom?: () => boolean) {
  const limits = {
    hanging: 0,
    slow(_slowMs: number, most: number) {
      return { count: Math.min(most, this.hanging), nextInMs: 5 };
    },
  };
  const slots = new Slots({ concurrency, overflow }, limits, { slowMs: 25 }, hasRoom);
  const begun: string[] = [];
  const request = (name: string, hasFailed = false): void => slots.request(hasFailed, () => begun.push(name) > 0);
  return { limits, slots, begun, request };
}

const names = (what: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${what}${at}`);

describe('places for attempts', () => {
  it('are as many as the concurrency, and go to whoever waits longest', () => {
    const { slots, begun, request } = given(2, 0);
    for (const name of ['a', 'b', 'c', 'd']) request(name);
    expect(begun).toEqual(['a', 'b']);
    slots.release(false);
    slots.release(false);
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('pass by what is needed no more', () => {
    const { slots, begun, request } = given(1, 0);
    request('a');
    slots.request(false, () => false);
    slots.request(true, () => false);
    request('b');
    slots.release(false);
    expect(begun).toEqual(['a', 'b']);
    slots.release(false);
    request('c');
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('go to keys that have failed by half at most', () => {
    const { slots, begun, request } = given(8, 0);
    for (const name of names('bad', 8)) request(name, true);
    expect(begun).toEqual(names('bad', 4));
    for (const name of names('good', 8)) request(name);
    expect(begun.slice(4)).toEqual(names('good', 4));
    slots.release(true);
    // One that has failed waits longer than those that have not, and both get their turn.
    expect(begun.slice(8)).toEqual(['bad4']);
    slots.release(false);
    expect(begun.slice(9)).toEqual(['good4']);
  });

  it('leave neither without a turn where all wait for one place', () => {
    const { slots, begun, request } = given(1, 0);
    request('x');
    for (const name of names('bad', 3)) request(name, true);
    for (const name of names('good', 3)) request(name);
    for (const hasFailed of [false, true, false, true, false, true]) slots.release(hasFailed);
    expect(begun).toEqual(['x', 'bad0', 'good0', 'bad1', 'good1', 'bad2', 'good2']);
  });

  it('are made up for while attempts hang, up to the overflow, for keys that have not failed', () => {
    jest.useFakeTimers();
    try {
      const { limits, begun, request } = given(4, 3);
      for (const name of names('hangs', 4)) request(name);
      for (const name of names('good', 5)) request(name);
      request('bad', true);
      expect(begun).toHaveLength(4);
      limits.hanging = 2;
      jest.advanceTimersByTime(6);
      expect(begun.slice(4)).toEqual(['good0', 'good1']);
      limits.hanging = 7;
      jest.advanceTimersByTime(6);
      expect(begun.slice(6)).toEqual(['good2']);
      jest.advanceTimersByTime(1_000);
      expect(begun).toHaveLength(7);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('are made up for only while there is room for more, and as soon as there is', () => {
    jest.useFakeTimers();
    try {
      let room = 0;
      const { limits, slots, begun, request } = given(2, 2, () => room-- > 0);
      for (const name of [...names('hangs', 2), ...names('good', 3)]) request(name);
      limits.hanging = 2;
      jest.advanceTimersByTime(1_000);
      expect(begun).toEqual(['hangs0', 'hangs1']);
      room = 1;
      jest.advanceTimersByTime(20);
      expect(begun.slice(2)).toEqual(['good0']);
      // A place of the handler's own is nobody else's.
      room = 0;
      slots.release(false);
      slots.release(false);
      expect(begun.slice(3)).toEqual(['good1']);
    } finally {
      jest.useRealTimers();
    }
  });

  it('are never more than the concurrency with an overflow of 0', () => {
    jest.useFakeTimers();
    try {
      const { limits, begun, request } = given(2, 0);
      limits.hanging = 2;
      for (const name of names('a', 5)) request(name);
      expect([begun.length, jest.getTimerCount()]).toEqual([2, 0]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('are no more asked for once they are stopped', () => {
    jest.useFakeTimers();
    try {
      const { limits, slots, begun, request } = given(1, 1);
      request('a');
      request('b');
      expect(jest.getTimerCount()).toBe(1);
      limits.hanging = 1;
      slots.stop();
      jest.advanceTimersByTime(100);
      slots.release(false);
      expect([begun, jest.getTimerCount()]).toEqual([['a'], 0]);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('the pace of a handler', () => {
  const after = (durations: readonly number[]): number => {
    const pace = new Pace();
    for (const duration of durations) pace.note(duration);
    return pace.slowMs;
  };
  const times = (count: number, duration: number): number[] => Array<number>(count).fill(duration);

  it('is 25 ms at first, and for whatever is quicker', () => {
    expect([after([]), after(times(1_000, 0.1))]).toEqual([25, 25]);
  });

  it('follows a handler that takes long, and is not moved by a few', () => {
    expect(after(times(100, 1_000))).toBeGreaterThanOrEqual(4_000);
    expect(after(times(100, 1_000))).toBeLessThanOrEqual(4_000 * 1.5);
    const few = Array.from({ length: 1_000 }, (_, at) => (at % 50 === 0 ? 60_000 : 1));
    expect(after(few)).toBeLessThan(60);
    expect(after([...times(100, 1_000), ...times(300, 1)])).toBe(25);
  });
});
