import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { NatsClient } from '@core-infra/nats';
import { eventually, failure, type HttpApp, uniqueName, useNats, useNatsServer } from '@core-infra/testing';
import type { ConsumeRequest } from '../../src/driver/message-driver.js';
import { EventBus, MessagingHub, type ReceivedMessage } from '../../src/index.js';
import { Orders } from '../../src/testing/orders.js';
import { bootNats } from './fixtures/boot-nats.js';

jest.setTimeout(60_000);

const server = useNats();
const topic = 'steps.made';
const ever = () => AbortSignal.timeout(30_000);

/** A member that is handed messages, and settles them when it is told to. */
async function member(app: HttpApp, prefix: string, limits: Pick<ConsumeRequest, 'maxInFlight' | 'maxBytesInFlight'>) {
  const { driver }: MessagingHub = app.get(MessagingHub as never, { strict: false });
  const got: ReceivedMessage[] = [];
  const sink = {
    assigned: async () => undefined,
    revoked: async () => undefined,
    deliver: (messages: readonly ReceivedMessage[]) => void got.push(...messages),
    troubled: () => undefined,
  };
  const consumption = await driver.consume({ group: 'g', topics: [topic], queues: [], ...limits }, sink, ever());
  const publish = async (from: number, count: number, body: () => Buffer) => {
    const errors = await driver.publish(
      Array.from({ length: count }, (_, at) => {
        const id = String(from + at);
        return { id, topic, key: id, headers: { ce_id: id, ce_source: '/s' }, body: body(), kind: 'event' as const };
      }),
      ever(),
    );
    expect(errors.filter(Boolean)).toEqual([]);
  };
  /** Of all partitions, by what the server says. */
  const counts = async () => {
    const manager = await app.get(NatsClient).jetstreamManager();
    const sums = { waiting: 0, unsettled: 0, pending: 0 };
    for await (const info of manager.consumers.list(prefix.toUpperCase())) {
      sums.waiting += info.num_waiting;
      sums.unsettled += info.num_ack_pending;
      sums.pending += info.num_pending;
    }
    return sums;
  };
  return { got, consumption, publish, counts };
}

describe('a member of a group on NATS', () => {
  it('fetches nothing while it is paused, and goes on where it was', async () => {
    const prefix = uniqueName('events').toLowerCase();
    await using app = await bootNats({ url: server.url, prefix });
    const { got, consumption, publish, counts } = await member(app, prefix, {
      maxInFlight: 1_000,
      maxBytesInFlight: 1e8,
    });
    await publish(0, 100, () => Buffer.from('x'));
    await eventually(() => expect(got).toHaveLength(100));
    for (const message of got) consumption.settle(message);
    consumption.pause();
    // What it had asked for before.
    await eventually(async () => expect(await counts()).toEqual({ waiting: 0, unsettled: 0, pending: 0 }));
    await publish(100, 900, () => Buffer.from('x'));
    expect(await counts()).toEqual({ waiting: 0, unsettled: 0, pending: 900 });
    expect(got).toHaveLength(100);
    consumption.resume();
    await eventually(() => expect(got).toHaveLength(1_000));
    for (const message of got.slice(100)) consumption.settle(message);
    await eventually(async () => expect((await counts()).unsettled).toBe(0));
    await consumption.stop(ever());
  });

  it('has no more bytes in hand than it may, nor many more fetched, and gets messages larger than its share', async () => {
    const prefix = uniqueName('events').toLowerCase();
    await using app = await bootNats({ url: server.url, prefix });
    const size = 100_000;
    const maxBytesInFlight = 1_000_000;
    const { got, consumption, publish, counts } = await member(app, prefix, { maxInFlight: 10_000, maxBytesInFlight });
    await eventually(async () => expect((await counts()).waiting).toBe(8));
    await publish(0, 100, () => randomBytes(size));
    // Nothing is settled yet: what was fetched is in hand, or fetched ahead, or one more of each partition. Acknowledgements under way would count too.
    await eventually(() => expect(got.length * size).toBeGreaterThanOrEqual(maxBytesInFlight - size));
    for (let look = 0; look < 10; look += 1) {
      expect((await counts()).unsettled * size).toBeLessThanOrEqual(2 * maxBytesInFlight + 9 * size);
      await setTimeout(50);
    }
    const seen = new Set<string>();
    for (let settled = 0; settled < 100;) {
      await eventually(() => expect(got.length).toBeGreaterThan(settled));
      expect((got.length - settled) * size).toBeLessThanOrEqual(maxBytesInFlight + size);
      for (const message of got.slice(settled)) {
        consumption.settle(message);
        seen.add(message.id);
        settled += 1;
      }
    }
    expect(seen.size).toBe(100);
    await publish(100, 1, () => randomBytes(1_000_000));
    await eventually(() => expect(got).toHaveLength(101));
    consumption.settle(got[100]!);
    await consumption.stop(ever());
  });
});

describe('an event that is larger than the server takes', () => {
  const small = useNatsServer({ config: 'max_payload: 20000' });

  it('is an error when it is published, with its type, its size and the limit', async () => {
    await using app = await bootNats({ url: small.url, prefix: 'small' });
    const bus = app.get(EventBus);
    const { placed } = new Orders('oversize');
    const large = (length: number) => placed.of({ id: 'x'.repeat(length), at: 0 }, { key: 'k' });
    const error = await failure(bus.publish(large(18_000)));
    expect(error.message).toMatch(
      /^The event "oversize\.placed" has \d{5} bytes, and messages may have 15904\. .*the limit of the broker\.$/,
    );
    await bus.publish(large(12_000));
  });
});
