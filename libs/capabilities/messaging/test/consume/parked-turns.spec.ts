import { eventually } from '@core-infra/testing';
import type { MessageContext, ParkedMessage } from '../../src/index.js';
import { MemoryLot } from './memory-lot.js';
import { quickConfig, Scripted, topic, turns } from './member.js';

/** A lot with keys of which all are overdue, and that notes how it is asked. */
class FullLot extends MemoryLot {
  asking = 0;
  mostAsking = 0;
  readonly limits: number[] = [];

  constructor(keys: number, messages: number, bodyBytes = 2) {
    super([1]);
    const body = Buffer.from(JSON.stringify('x'.repeat(bodyBytes - 2)));
    for (let key = 0; key < keys; key += 1)
      this.keysHere.set(
        `k${key}`,
        Array.from({ length: messages }, (_, at): ParkedMessage => {
          const id = `k${key}-${at}`;
          const headers = { ce_specversion: '1.0', ce_id: id, ce_source: '/s', ce_type: topic };
          return {
            id,
            topic,
            key: `k${key}`,
            headers,
            body,
            ticket: id,
            group: 'group',
            partition: 0,
            time: 0,
            attempts: at === 0 ? 1 : 0,
          };
        }),
      );
    const next = this.next.bind(this);
    this.next = async (group, key, limit, signal) => {
      this.limits.push(limit);
      this.mostAsking = Math.max(this.mostAsking, (this.asking += 1));
      const found = await next(group, key, limit, signal);
      this.asking -= 1;
      return found;
    };
    this.keys = async () =>
      [...this.keysHere].map(([key, list]) => ({ topic, partition: 0, key, dueAt: 0, messages: list.length }));
  }
}

describe('parked keys that are all due when a partition is assigned', () => {
  it('take their messages some at a time, as many as can be at work, until none is left', async () => {
    const lot = new FullLot(200, 3);
    const seen = new Map<string, string[]>();
    const most = { held: 0 };
    const broker: Scripted = new Scripted(
      [
        {
          concurrency: 4,
          call: async (_data, { message: { key, id } }: MessageContext) => {
            most.held = Math.max(most.held, broker.member.state.inFlight);
            seen.set(key!, [...(seen.get(key!) ?? []), id]);
            await turns(1);
          },
        },
      ],
      quickConfig(),
      lot,
    );
    await broker.join();
    await eventually(() => expect([lot.messages, broker.member.state.inFlight]).toEqual([0, 0]));
    expect(lot.mostAsking).toBe(8);
    expect(most.held).toBeLessThanOrEqual(8 * 3);
    expect(seen.size).toBe(200);
    for (const [key, ids] of seen) expect(ids).toEqual([`${key}-0`, `${key}-1`, `${key}-2`]);
    expect(broker.settled).toEqual([]);
  });

  it('count for what may be in flight, in messages and in bytes', async () => {
    const lot = new FullLot(40, 30, 1_000);
    let go = (): void => undefined;
    const gone = new Promise<void>(resolve => (go = resolve));
    const done: string[] = [];
    const config = quickConfig(({ consumers }) => Object.assign(consumers, { maxBytesInFlight: 80_000 }));
    const call = async (_data: unknown, { message: { id } }: MessageContext): Promise<void> => {
      if (!id.endsWith('-0')) await gone;
      done.push(id);
    };
    const broker = new Scripted([{ concurrency: 2, call }], config, lot);
    await broker.join();
    // Each of the first four has shown how large its messages are; a quarter of the bound is for all of them together.
    await eventually(() => expect(done.length).toBeGreaterThanOrEqual(4));
    await turns(50);
    const share = 80_000 / 4 / 4;
    expect(broker.member.state.inFlight).toBeLessThanOrEqual(4 * Math.floor(share / 1_000));
    expect(broker.member.state.inFlight).toBeGreaterThan(4);
    expect(Math.max(...lot.limits)).toBeLessThanOrEqual(Math.floor(share / 1_000));
    expect(broker.member.state.pausedBy).toEqual([]);
    broker.deliver(Array.from({ length: 50 }, () => ({ body: Buffer.from(`"${'x'.repeat(1_000)}"`) })));
    await turns(5);
    broker.deliver(Array.from({ length: 20 }, () => ({ body: Buffer.from(`"${'x'.repeat(1_000)}"`) })));
    expect(broker.member.state.pausedBy).toEqual(['in flight']);
    go();
    await eventually(() => expect([lot.messages, broker.member.state.inFlight]).toEqual([0, 0]));
    expect(broker.member.state.pausedBy).toEqual([]);
  });

  it('keep nothing in hand while they wait for their next attempt, and take one at a time while they fail', async () => {
    const lot = new FullLot(20, 10);
    let tries = 0;
    const call = async (): Promise<void> => {
      tries += 1;
      throw new Error('still');
    };
    const retry = { attempts: 10, maxAgeMs: 1e12, firstDelayMs: 1e9, factor: 1, maxDelayMs: 1e9 };
    const broker = new Scripted([{ call, retry }], quickConfig(), lot);
    await broker.join();
    await eventually(() => expect([tries, broker.member.state.inFlight]).toEqual([20, 0]));
    expect(new Set(lot.limits)).toEqual(new Set([1]));
    expect(lot.messages).toBe(200);
    expect([...lot.keysHere.values()].map(([first]) => first!.attempts)).toEqual(Array(20).fill(2));
    await broker.member.drain(AbortSignal.timeout(1_000));
  });

  it('leave their turn to those of other partitions when theirs is taken away', async () => {
    const lot = new FullLot(1, 1);
    lot.keysHere.get('k0')![0] = { ...lot.keysHere.get('k0')![0]!, partition: 1 };
    const own = lot.keys;
    const seen: string[] = [];
    lot.keys = async (group, partitions, signal) =>
      partitions[0]!.number === 0
        ? Array.from({ length: 8 }, (_, n) => ({ topic, partition: 0, key: `gone${n}`, dueAt: 0, messages: 1 }))
        : (await own(group, partitions, signal)).map(key => ({ ...key, partition: 1 }));
    const { next } = lot;
    let hanging = 0;
    lot.next = (group, key, limit, signal) => {
      if (key.partition !== 0) return next(group, key, limit, signal);
      hanging += 1;
      return new Promise(() => undefined);
    };
    const handler = {
      concurrency: 4,
      call: async (_data: unknown, { message }: MessageContext) => void seen.push(message.id),
    };
    const broker = new Scripted([handler], quickConfig(), lot);
    await broker.join();
    await eventually(() => expect(hanging).toBe(8));
    await broker.member.assigned([{ topic, number: 1 }]);
    // Behind the timer by which its key is due.
    await new Promise(resolve => setTimeout(resolve, 10));
    expect(seen).toEqual([]);
    await broker.member.revoked([{ topic, number: 0 }]);
    await eventually(() => expect(seen).toEqual(['k0-0']));
  });

  it('stay where they are while the process is under pressure, and go on by themselves when it is over', async () => {
    const lot = new FullLot(3, 1);
    let isHigh = true;
    const broker = new Scripted([{}], quickConfig(), lot);
    broker.hub.pressure.add('pool', () => isHigh);
    await eventually(() => expect(broker.member.state.pausedBy).toEqual(['pool']));
    await broker.join();
    await turns(20);
    expect(lot.limits).toEqual([]);
    isHigh = false;
    await eventually(() => expect(lot.messages).toBe(0));
    expect(broker.calls).toEqual(['pause', 'resume']);
    await broker.member.drain(AbortSignal.timeout(1_000));
  });
});

describe('keys that wait in hand', () => {
  it('do not keep the group from fetching, though they are most of what it may hold', async () => {
    const seen: string[] = [];
    const call = async (_data: unknown, { message: { key } }: MessageContext): Promise<void> => {
      if (key!.startsWith('bad')) throw new Error('bad');
      seen.push(key!);
    };
    const retry = { attempts: 10, maxAgeMs: 1e12, firstDelayMs: 1e9, factor: 1, maxDelayMs: 1e9 };
    const config = quickConfig(({ consumers }) => Object.assign(consumers, { maxInFlight: 10 }));
    const broker = new Scripted([{ call, retry }], config);
    await broker.join();
    broker.deliver(Array.from({ length: 7 }, (_, n) => ({ key: `bad${n}` })));
    await turns(10);
    // The bound is reached, and more than half of it is still in hand when what can be done is done.
    broker.deliver(Array.from({ length: 3 }, (_, n) => ({ key: `good${n}` })));
    expect(broker.calls).toEqual(['pause']);
    await eventually(() => expect(broker.calls).toEqual(['pause', 'resume']));
    await eventually(() => expect([seen.length, broker.member.state.inFlight]).toEqual([3, 7]));
    // What comes behind them waits as they do.
    broker.deliver([{ key: 'bad0' }]);
    await turns(5);
    expect(broker.member.state).toMatchObject({ inFlight: 8, pausedBy: [] });
    await broker.member.drain(AbortSignal.timeout(1_000));
    expect(broker.member.state.inFlight).toBe(0);
  });

  it('are parked at once, however short the pause, while more than half of what may be is in hand', async () => {
    const lot = new MemoryLot();
    const call = async (): Promise<void> => {
      throw new Error('bad');
    };
    const long = 2_000_000_000;
    const retry = { attempts: 10, maxAgeMs: 1e12, firstDelayMs: long, factor: 1, maxDelayMs: long };
    const config = quickConfig(given => {
      given.retry.parkAfterMs = long;
      given.consumers.maxBytesInFlight = 10_000;
    });
    const broker = new Scripted([{ call, retry }], config, lot);
    await broker.join();
    const large = Array.from({ length: 8 }, (_, n) => ({ key: `k${n}`, body: Buffer.from(`"${'x'.repeat(1_000)}"`) }));
    broker.deliver(large.slice(0, 3));
    await turns(10);
    expect([lot.messages, broker.settled]).toEqual([0, []]);
    broker.deliver(large.slice(3));
    // Those that make it too many.
    await eventually(() => expect(lot.messages).toBeGreaterThan(0));
    expect(broker.settled.every(position => position >= 3)).toBe(true);
    await broker.member.drain(AbortSignal.timeout(1_000));
  });

  it('are parked at once, however short the pause, when more of a key comes than may wait in hand', async () => {
    const lot = new MemoryLot();
    const call = async (): Promise<void> => {
      throw new Error('bad');
    };
    const long = 2_000_000_000;
    const retry = { attempts: 10, maxAgeMs: 1e12, firstDelayMs: long, factor: 1, maxDelayMs: long };
    const config = quickConfig(given => {
      given.retry.parkAfterMs = long;
      given.consumers.maxInFlight = 5 * 64;
    });
    const broker = new Scripted([{ call, retry }], config, lot);
    await broker.join();
    const bad = (count: number) => Array.from({ length: count }, () => ({ key: 'bad' }));
    broker.deliver(bad(2));
    await turns(10);
    broker.deliver(bad(3));
    await turns(10);
    expect([lot.messages, broker.settled, broker.member.state.inFlight]).toEqual([0, [], 5]);
    broker.deliver(bad(1));
    await eventually(() => expect(broker.settled).toEqual([0, 1, 2, 3, 4, 5]));
    expect(lot.keysHere.get('bad')!.map(({ id, attempts }) => [id, attempts])).toEqual(
      [1, 0, 0, 0, 0, 0].map((attempts, at) => [String(at), attempts]),
    );
    expect(broker.member.state.inFlight).toBe(0);
    // With as many from the first on, it does not wait in hand at all.
    broker.deliver(Array.from({ length: 6 }, () => ({ key: 'other' })));
    await eventually(() => expect(lot.messages).toBe(12));
    await broker.member.drain(AbortSignal.timeout(1_000));
  });
});
