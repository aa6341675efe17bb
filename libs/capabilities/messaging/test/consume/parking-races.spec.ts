import { eventually } from '@core-infra/testing';
import { ParkingFullError } from '../../src/errors.js';
import type { MessageContext } from '../../src/index.js';
import { MemoryLot } from './memory-lot.js';
import { quickConfig, Scripted, turns } from './member.js';

const parkAtOnce = quickConfig(({ retry }) => (retry.parkAfterMs = 0));

function failingFirst(lot: MemoryLot): { broker: Scripted; seen: string[] } {
  const seen: string[] = [];
  let failed = false;
  const call = async (_data: unknown, { message: { id } }: MessageContext): Promise<void> => {
    if (id === '1' && !failed) {
      failed = true;
      throw new Error('once');
    }
    seen.push(id);
  };
  return { broker: new Scripted([{ call }], parkAtOnce, lot), seen };
}

describe('a key that is parked', () => {
  it('keeps behind it what comes while it is on its way into the lot', async () => {
    const { broker, seen } = failingFirst(new MemoryLot([5]));
    await broker.join();
    broker.deliver([{ key: 'a', id: '1' }]);
    await turns(6);
    broker.deliver([{ key: 'a', id: '2' }]);
    await eventually(() => expect(seen).toEqual(['1', '2']));
    expect(broker.settled).toEqual([0, 1]);
  });

  it('sees what got there after the lot was looked at, and before the answer came', async () => {
    const lot = new MemoryLot([0]);
    let answer = (): void => undefined;
    const answered = new Promise<void>(resolve => (answer = resolve));
    const { next } = lot;
    let asked = 0;
    lot.next = async (...given) => {
      const found = await next(...given);
      if (found.length === 0 && (asked += 1) === 1) await answered;
      return found;
    };
    const { broker, seen } = failingFirst(lot);
    await broker.join();
    broker.deliver([{ key: 'a', id: '1' }]);
    await eventually(() => expect(asked).toBe(1));
    broker.deliver([{ key: 'a', id: '2' }]);
    await eventually(() => expect(broker.settled).toEqual([0, 1]));
    answer();
    await eventually(() => expect(seen).toEqual(['1', '2']));
    await eventually(() => expect(lot.messages).toBe(0));
  });

  it('keeps what the broker hands over as soon as it was told of those before', async () => {
    const lot = new MemoryLot([0]);
    const { broker, seen } = failingFirst(lot);
    await broker.join();
    let more = 20;
    // As a broker does whose next message is in this process already.
    broker.onSettled = () => queueMicrotask(() => more-- > 0 && broker.deliver([{ key: 'a', id: `later ${more}` }]));
    lot.next = () => new Promise(() => undefined);
    broker.deliver([{ key: 'a', id: '1' }]);
    await eventually(() => expect(lot.messages).toBe(21));
    expect(seen).toEqual([]);
  });

  it('gets in one by one what is too much for a lot at once', async () => {
    const lot = new MemoryLot([0]);
    const { park } = lot;
    let most = 2;
    lot.park = async (group, requests, signal) => {
      if (lot.messages + requests.length > most) throw new ParkingFullError(group, lot.messages);
      await park(group, requests, signal);
    };
    const { broker, seen } = failingFirst(lot);
    await broker.join();
    const { next } = lot;
    // Until all have come, nothing of the key goes on.
    let go = (): void => undefined;
    const gone = new Promise<void>(resolve => (go = resolve));
    lot.next = async (...given) => (await gone, next(...given));
    broker.deliver([{ key: 'a', id: '1' }]);
    await eventually(() => expect(lot.messages).toBe(1));
    for (let id = 2; id <= 12; id += 1) broker.deliver([{ key: 'a', id: String(id) }]);
    await eventually(() => expect(lot.messages).toBe(2));
    go();
    most = 1;
    await eventually(() => expect(seen).toEqual(Array.from({ length: 12 }, (_, at) => String(at + 1))), {
      timeoutMs: 20_000,
    });
  });
});
