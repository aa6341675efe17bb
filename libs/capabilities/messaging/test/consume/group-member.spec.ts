import { eventually } from '@core-infra/testing';
import { MemoryLot } from './memory-lot.js';
import { quickConfig, Scripted, topic, turns } from './member.js';

const ascending = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);

const partition = [{ topic, number: 0 }];

describe('a member of a group', () => {
  it('handles and settles what is delivered before it has joined', async () => {
    const broker = new Scripted([{}]);
    let joined = (): void => undefined;
    broker.joining = new Promise(resolve => (joined = resolve));
    const joining = broker.join();
    await turns(1);
    broker.deliver([{ key: 'a' }, {}]);
    await turns(5);
    expect(broker.settled).toEqual([]);
    joined();
    await joining;
    await eventually(() => expect(broker.settled).toEqual([0, 1]));
  });

  it('leaves a group that it has joined only after the app had ended', async () => {
    const broker = new Scripted([{}]);
    let joined = (): void => undefined;
    broker.joining = new Promise(resolve => (joined = resolve));
    const joining = broker.join();
    await broker.member.drain(AbortSignal.timeout(1_000));
    joined();
    await joining;
    expect(broker.calls).toEqual(['stop']);
  });

  it('gives back what is delivered of a partition that it does not serve', async () => {
    const broker = new Scripted([{}]);
    await broker.join();
    await broker.member.revoked(partition);
    broker.deliver([{ key: 'a' }]);
    expect([broker.settled, broker.released]).toEqual([[], [0]]);
    expect(broker.member.state.inFlight).toBe(0);
  });

  it.each([
    ['an object that is no error', Object.create(null) as unknown],
    ['nothing', undefined],
    ['a symbol', Symbol('s')],
    ['an error whose message throws', Object.defineProperty(new Error(), 'message', { get: () => ({}) })],
    ['an error with a code that is no text', Object.assign(new Error('x'), { code: Object.create(null) as unknown })],
  ])('buries a message whose handler throws %s', async (_what, thrown) => {
    const broker = new Scripted([
      {
        call: async () => {
          throw thrown;
        },
      },
    ]);
    await broker.join();
    broker.deliver([{ key: 'a' }]);
    await eventually(async () => expect(await broker.deadLetters.count({})).toBe(1));
    await eventually(() => expect(broker.settled).toEqual([0]));
  });

  it('asks the error itself when `retryable` throws', async () => {
    const retryable = (): never => {
      throw new Error('of its own');
    };
    const retry = { attempts: 2, maxAgeMs: 60_000, firstDelayMs: 1, factor: 1, maxDelayMs: 1, retryable };
    const broker = new Scripted([{ retry, call: () => Promise.reject(new Error('fails')) }]);
    await broker.join();
    broker.deliver([{ key: 'a' }]);
    await eventually(async () =>
      expect(await broker.deadLetters.list({}, { limit: 9 })).toMatchObject([{ attempts: 2 }]),
    );
  });

  it('aborts work on a partition that is taken from it, and settles nothing of it afterwards', async () => {
    let aborted = 0;
    let end = (): void => undefined;
    const ended = new Promise<void>(resolve => (end = resolve));
    const call = async (_data: unknown, { signal }: { signal: AbortSignal }): Promise<void> => {
      signal.addEventListener('abort', () => (aborted += 1));
      await ended;
    };
    const broker = new Scripted([{ call }]);
    await broker.join();
    broker.deliver([{ key: 'a' }, { key: 'a' }, { key: 'b' }]);
    await broker.member.revoked(partition);
    expect(aborted).toBe(2);
    expect(ascending(broker.released)).toEqual([0, 1, 2]);
    end();
    await turns(20);
    expect(broker.settled).toEqual([]);
  });

  it('serves a partition anew that is assigned twice', async () => {
    const seen: string[] = [];
    const broker = new Scripted([{ call: async (_data, { message }) => void seen.push(message.id) }]);
    await broker.join();
    broker.deliver([{ key: 'a', id: 'old', notBefore: Date.now() + 60_000, redelivered: true }]);
    await broker.member.assigned(partition);
    expect(broker.released).toEqual([0]);
    broker.deliver([{ key: 'a', id: 'new' }]);
    await eventually(() => expect(seen).toEqual(['new']));
  });

  it('lays no lane of a partition that is taken from it while it asks what is parked', async () => {
    const lot = new MemoryLot();
    let answer = (): void => undefined;
    const answered = new Promise<void>(resolve => (answer = resolve));
    lot.keys = async () => {
      await answered;
      return [{ topic, partition: 0, key: 'a', dueAt: 0, messages: 1 }];
    };
    const asked = jest.spyOn(lot, 'next');
    const broker = new Scripted([{}], quickConfig(), lot);
    const assigned = broker.member.assigned(partition);
    await broker.member.revoked(partition);
    answer();
    await assigned;
    await turns(20);
    expect(asked).not.toHaveBeenCalled();
    expect(broker.member.state.partitions).toBe(0);
  });

  it('asks again what is parked when the lot is away', async () => {
    const lot = new MemoryLot();
    let asked = 0;
    lot.keys = async () => {
      if ((asked += 1) === 1) throw new Error('away');
      return [];
    };
    const broker = new Scripted([{}], quickConfig(), lot);
    await broker.join();
    expect(asked).toBe(2);
  });

  it.each([
    ['messages', { maxInFlight: 4 }, 4],
    ['bytes', { maxBytesInFlight: 4_000 }, 4],
  ])('pauses at a bound of %s, and goes on at half of it', async (_what, bounds, count) => {
    let end = (): void => undefined;
    const ended = new Promise<void>(resolve => (end = resolve));
    const config = quickConfig(({ consumers }) => Object.assign(consumers, bounds));
    const broker = new Scripted([{ concurrency: 1, call: () => ended }], config);
    await broker.join();
    broker.deliver(Array.from({ length: count }, () => ({ body: Buffer.from(`{"x":"${'x'.repeat(1_000)}"}`) })));
    expect(broker.calls).toEqual(['pause']);
    expect(broker.member.state.pausedBy).toEqual(['in flight']);
    end();
    await eventually(() => expect(broker.calls).toEqual(['pause', 'resume']));
    expect(broker.settled.length).toBeGreaterThanOrEqual(2);
  });

  it('lets handlers under way end when it leaves, gives back the rest, and leaves then', async () => {
    let end = (): void => undefined;
    const ended = new Promise<void>(resolve => (end = resolve));
    const broker = new Scripted([{ concurrency: 1, call: () => ended }]);
    await broker.join();
    broker.deliver([{ key: 'a' }, { key: 'a' }, { key: 'b' }]);
    const drained = broker.member.drain(AbortSignal.timeout(10_000));
    await turns(10);
    expect([broker.settled, ascending(broker.released), broker.calls]).toEqual([[], [2], ['pause']]);
    end();
    await drained;
    expect([broker.settled, ascending(broker.released), broker.calls]).toEqual([[0], [1, 2], ['pause', 'stop']]);
  });
});
