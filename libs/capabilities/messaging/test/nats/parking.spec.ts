import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { NatsClient } from '@core-infra/nats';
import { eventually, type HttpApp, runChild, uniqueName, useNats, useNatsServer } from '@core-infra/testing';
import { EventBus, MessagingHub, type MessagingOptions } from '../../src/index.js';
import { Answers } from '../../src/drivers/nats/answers.js';
import { NatsParkingLot } from '../../src/drivers/nats/nats.parking-lot.js';
import { Owners } from '../../src/drivers/nats/owners.js';
import { Streams } from '../../src/drivers/nats/streams.js';
import { NatsMessagingConfig } from '../../src/config/nats-messaging.config.js';
import { Orders } from '../../src/testing/orders.js';
import { inversions, type Step, stepped } from '../postgres/fixtures/steps.js';
import { bootNats, stepsHandler } from './fixtures/boot-nats.js';

jest.setTimeout(120_000);

const server = useNats();
const ever = () => AbortSignal.timeout(20_000);
const place = () => ({ url: server.url, prefix: uniqueName('events').toLowerCase() });
const hubOf = (app: HttpApp): MessagingHub => app.get(MessagingHub as never, { strict: false });
const lotOf = (app: HttpApp) => hubOf(app).driver.parking as NatsParkingLot;
const slow = { firstDelayMs: 60_000, factor: 1, maxDelayMs: 60_000, attempts: 100, parkAfterMs: 0 };
/** Until a group's next attempt, so that what is parked is looked at meanwhile. */
const again = (ms: number): MessagingOptions['retry'] => ({ ...slow, firstDelayMs: ms, maxDelayMs: ms });

/** What is at the server of what is parked, by subject. */
async function left(app: HttpApp, prefix: string): Promise<string[]> {
  const manager = await app.get(NatsClient).jetstreamManager();
  const { state } = await manager.streams.info(`${prefix.toUpperCase()}_GROUPS`, {
    subjects_filter: `${prefix}_parked.>`,
  });
  return Object.keys(state.subjects ?? {});
}

describe('parked keys on NATS', () => {
  it('do not hold up others, with more of them than a member may have in hand', async () => {
    const orders = new Orders(uniqueName('poison'));
    const seen: string[] = [];
    const where = place();
    const group = uniqueName('group');
    const handler = orders.handler(
      ({ id }) => {
        if (id.startsWith('bad')) throw new Error('never');
        seen.push(id);
      },
      { concurrency: 8 },
    );
    await using app = await bootNats({
      ...where,
      controllers: [handler],
      options: { group, retry: slow, consumers: { maxInFlight: 20 } },
    });
    const bus = app.get(EventBus);
    for (let round = 0; round < 10; round += 1)
      await bus.publishBatch(Array.from({ length: 8 }, (_, key) => orders.placed.of({ id: `bad-${key}`, at: round })));
    await eventually(async () => expect(await lotOf(app).size(group)).toMatchObject({ keys: 8, messages: 80 }), {
      timeoutMs: 20_000,
    });
    await bus.publishBatch(Array.from({ length: 100 }, (_, at) => orders.placed.of({ id: `good-${at}`, at })));
    await eventually(() => expect(seen).toHaveLength(100), { timeoutMs: 20_000 });
    expect([...hubOf(app).members].map(({ state }) => state.inFlight)).toEqual([0]);
    expect(await left(app, where.prefix)).toHaveLength(80);
  });

  it('go with their partition to another member, in order, with their attempts, however large they are', async () => {
    const where = place();
    const orders = new Orders(uniqueName('move'));
    const group = uniqueName('group');
    const failing = orders.handler(() => Promise.reject(new Error('not yet')));
    const first = await bootNats({ ...where, controllers: [failing], options: { group, retry: again(2_500) } });
    const large = 'x'.repeat(990_000);
    const key = 'größer ☃ "%"';
    const events = ['a', large, 'c'].map((id, at) => orders.placed.of({ id, at }, { key }));
    await first.get(EventBus).publishBatch(events);
    await eventually(async () => expect((await lotOf(first).size(group)).messages).toBe(3), { timeoutMs: 20_000 });
    // Once more, so that there is something to remember.
    await eventually(async () => expect(await left(first, where.prefix)).toHaveLength(4), { timeoutMs: 20_000 });
    await first.close();
    const seen: [number, number, number, string | undefined][] = [];
    const handler = orders.handler(
      ({ id, at }, context) => void seen.push([at, id.length, context.attempt, context.message.key]),
    );
    await using second = await bootNats({ ...where, controllers: [handler], options: { group, retry: slow } });
    await second.get(EventBus).publish(orders.placed.of({ id: 'late', at: 3 }, { key }));
    await eventually(() => expect(seen).toHaveLength(4), { timeoutMs: 30_000 });
    expect(seen.map(([at, length, , own]) => [at, length, own])).toEqual([
      [0, 1, key],
      [1, 990_000, key],
      [2, 1, key],
      [3, 4, key],
    ]);
    expect(seen[0]![2]).toBeGreaterThan(2);
    await eventually(async () => expect(await lotOf(second).size()).toEqual({ keys: 0, messages: 0, bytes: 0 }));
    expect(await left(second, where.prefix)).toEqual([]);
  });

  it('are bounded: beyond the bound nothing more is fetched, and nothing is lost', async () => {
    const where = place();
    const orders = new Orders(uniqueName('bound'));
    const seen: number[] = [];
    let fails = true;
    const handler = orders.handler(({ at }) => {
      if (fails) throw new Error('not yet');
      seen.push(at);
    });
    await using app = await bootNats({
      ...where,
      controllers: [handler],
      options: {
        group: uniqueName('group'),
        nats: { maxParked: 10 },
        consumers: { maxInFlight: 20 },
        retry: { ...again(1_500), attempts: 1_000 },
      },
    });
    await app.get(EventBus).publishBatch(Array.from({ length: 100 }, (_, at) => orders.placed.of({ id: 'key', at })));
    const [member] = hubOf(app).members;
    await eventually(() => expect(member!.state.pausedBy).toContain('in flight'), { timeoutMs: 20_000 });
    expect((await lotOf(app).size()).messages).toBeLessThanOrEqual(10);
    fails = false;
    await eventually(() => expect(seen).toHaveLength(100), { timeoutMs: 60_000 });
    expect(seen).toEqual(Array.from({ length: 100 }, (_, at) => at));
    await eventually(async () => expect(await left(app, where.prefix)).toEqual([]));
  });

  it('outlive a member that is killed, with their attempts and their order', async () => {
    const where = place();
    const group = uniqueName('group');
    await using app = await bootNats(where);
    const child = runChild(join(__dirname, 'fixtures/parked.main.ts'), { args: [where.url, where.prefix, group] });
    await child.waitForLine(/^ready$/);
    await app
      .get(EventBus)
      .publishBatch(Array.from({ length: 30 }, (_, n) => stepped.of({ key: `k${n % 3}`, at: Math.floor(n / 3) })));
    // The messages, and what was written of further attempts.
    await eventually(async () => expect((await left(app, where.prefix)).length).toBeGreaterThanOrEqual(33), {
      timeoutMs: 30_000,
    });
    child.kill('SIGKILL');
    await child.exit;
    const seen: (Step & { attempt: number })[] = [];
    const handler = stepsHandler((step, context) => void seen.push({ ...step, attempt: context.attempt }));
    await using heir = await bootNats({ ...where, controllers: [handler], options: { group, retry: slow } });
    await eventually(() => expect(seen.length).toBeGreaterThanOrEqual(30), { timeoutMs: 30_000 });
    for (const key of ['k0', 'k1', 'k2']) {
      const own = seen.filter(step => step.key === key);
      expect(own.map(({ at }) => at)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(own[0]!.attempt).toBeGreaterThan(2);
    }
    await eventually(async () => expect(await left(heir, where.prefix)).toEqual([]));
  });

  it('are not handled twice when the server never heard that they were parked', async () => {
    const where = place();
    const group = uniqueName('group');
    const lost = jest.spyOn(Answers.prototype, 'settle').mockImplementation(() => undefined);
    const failing = stepsHandler(() => Promise.reject(new Error('not yet')));
    const first = await bootNats({ ...where, controllers: [failing], options: { group, retry: again(1_500) } });
    await first.get(EventBus).publishBatch(Array.from({ length: 5 }, (_, at) => stepped.of({ key: 'a', at })));
    await eventually(async () => expect((await lotOf(first).size(group)).messages).toBe(5), { timeoutMs: 20_000 });
    await first.close();
    lost.mockRestore();
    const seen: number[] = [];
    await using second = await bootNats({
      ...where,
      controllers: [stepsHandler(({ at }) => void seen.push(at))],
      options: { group, retry: slow },
    });
    await second.get(EventBus).publish(stepped.of({ key: 'a', at: 5 }));
    await eventually(() => expect(seen).toContain(5), { timeoutMs: 20_000 });
    // All that it had delivered comes again.
    const [member] = hubOf(second).members;
    await eventually(async () => expect(await member!.backlog(ever())).toMatchObject([{ messages: 0 }]), {
      timeoutMs: 20_000,
    });
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('parked keys of a server that is killed', () => {
  const own = useNatsServer();

  it('are there when it is back, in their order', async () => {
    const seen: Step[] = [];
    let fails = true;
    let tries = 0;
    const handler = stepsHandler(step => {
      tries += 1;
      if (fails) throw new Error('not yet');
      seen.push(step);
    });
    await using app = await bootNats({
      url: own.url,
      prefix: 'killed',
      controllers: [handler],
      options: { group: 'g', retry: { ...again(300), attempts: 1_000 } },
    });
    const steps = Array.from({ length: 60 }, (_, n) => stepped.of({ key: `k${n % 6}`, at: Math.floor(n / 6) }));
    await app.get(EventBus).publishBatch(steps.slice(0, 30));
    await eventually(() => expect(tries).toBeGreaterThan(20), { timeoutMs: 20_000 });
    await own.kill('SIGKILL');
    await own.start();
    await eventually(() => app.get(EventBus).publishBatch(steps.slice(30)), { timeoutMs: 20_000 });
    const before = tries;
    await eventually(() => expect(tries).toBeGreaterThan(before + 20), { timeoutMs: 30_000 });
    fails = false;
    const distinct = () => new Set(seen.map(({ key, at }) => `${key} ${at}`)).size;
    await eventually(() => expect(distinct()).toBe(60), { timeoutMs: 30_000 });
    expect(inversions(seen)).toEqual([]);
    await eventually(async () => expect(await left(app, 'killed')).toEqual([]));
  });
});

describe('the parking lot of NATS', () => {
  const own = useNatsServer();

  it('takes nothing of one who has the partition no more, and keeps what its owner has', async () => {
    await using app = await bootNats({ url: own.url, prefix: 'fenced' });
    const client = app.get(NatsClient);
    const config = Object.assign(new NatsMessagingConfig(), { prefix: 'fenced' });
    const streams = new Streams(client, { logger: console } as never, config);
    const ref = { topic: 't', number: 0 };
    const enter = async (member: string) => {
      const lot = new NatsParkingLot(client, streams, config);
      const { revision } = (await new Owners(client, streams, 'g', member).claim('t', 0, () => false))!;
      const known: number[] = [];
      lot.assigned('g', ref, { revision, known: position => known.push(position) });
      const keys = await lot.keys('g', [ref], ever());
      return { lot, keys, known };
    };
    const request = (position: number, key = 'k') => ({
      message: {
        id: `e${position}`,
        topic: 't',
        key,
        headers: { ce_id: 'x' },
        body: Buffer.from([position]),
        partition: 0,
        position,
        time: 1_700_000_000_000.25,
        attempts: 1,
        firstAttemptAt: 7,
      },
      attempts: 2,
      dueAt: 1_000,
      reason: 'not yet',
    });
    const first = await enter('one');
    await first.lot.park('g', [request(2), request(1)], ever());
    await first.lot.park('g', [request(1)], ever());
    const [ticket] = await first.lot.next('g', { topic: 't', partition: 0, key: 'k' }, 10);
    expect(ticket).toMatchObject({ id: 'e1', attempts: 2, firstAttemptAt: 7, time: 1_700_000_000_000.25 });

    // One is not taken at once: it is not left open whether both are there.
    const publish = client.publish.bind(client);
    const refused = jest.spyOn(client, 'publish').mockImplementation(async (message, options) => {
      if (!message.subject.includes('.5-')) return publish(message, options);
      refused.mockRestore();
      throw new Error('no room at present');
    });
    await first.lot.park('g', [request(4, 'full'), request(5, 'full')], ever());
    const full = await first.lot.next('g', { topic: 't', partition: 0, key: 'full' }, 10);
    expect(full.map(({ id }) => id)).toEqual(['e4', 'e5']);
    await first.lot.remove(full);

    const second = await enter('two');
    expect(second.keys).toEqual([{ topic: 't', partition: 0, key: 'k', dueAt: 1_000, messages: 2 }]);
    expect(new Set(second.known)).toEqual(new Set([1, 2]));
    // The first does not know yet.
    await expect(first.lot.park('g', [request(3)], ever())).rejects.toThrow(/another member has the partition/);
    await first.lot.postpone(ticket!, 9, 9_000, ever());
    const found = await second.lot.next('g', { topic: 't', partition: 0, key: 'k' }, 10);
    expect(found.map(({ id, attempts }) => [id, attempts])).toEqual([
      ['e1', 2],
      ['e2', 2],
    ]);
    await second.lot.postpone({ ...found[0]!, firstAttemptAt: 8 }, 3, 5_000, ever());
    const third = await enter('three');
    expect(third.keys).toMatchObject([{ dueAt: 5_000, messages: 2 }]);
    expect(await third.lot.next('g', third.keys[0]!, 1)).toMatchObject([{ attempts: 3, firstAttemptAt: 8 }]);
    // What another has handled after all is no work any more, and what is behind it is found.
    await second.lot.remove(found.slice(0, 1));
    expect((await third.lot.next('g', third.keys[0]!, 1)).map(({ id }) => id)).toEqual(['e2']);
    await second.lot.remove(found);
    expect(await third.lot.next('g', third.keys[0]!, 10)).toEqual([]);
    expect(await third.lot.size('g')).toEqual({ keys: 0, messages: 0, bytes: 0 });
    expect((await enter('four')).keys).toEqual([]);
  });

  it('keeps messages that are larger than the server takes, whole, and leaves nothing of them', async () => {
    await using app = await bootNats({ url: own.url, prefix: 'large' });
    const client = app.get(NatsClient);
    const streams = new Streams(
      client,
      { logger: console } as never,
      Object.assign(new NatsMessagingConfig(), { prefix: 'large' }),
    );
    const ref = { topic: 't', number: 0 };
    const enter = async (member: string) => {
      const lot = new NatsParkingLot(client, streams, new NatsMessagingConfig());
      const { revision } = (await new Owners(client, streams, 'g', member).claim('t', 0, () => false))!;
      lot.assigned('g', ref, { revision, known: () => undefined });
      return { lot, keys: await lot.keys('g', [ref], ever()) };
    };
    const body = randomBytes(2_500_000);
    const message = { id: 'e', topic: 't', key: 'k', headers: {}, body, partition: 0, position: 1, time: 1 };
    const { lot } = await enter('one');
    await lot.park('g', [{ message: { ...message, attempts: 1 }, attempts: 1, dueAt: 0, reason: '' }], ever());
    expect(await left(app, 'large')).toHaveLength(3);
    const heir = await enter('two');
    const [found] = await heir.lot.next('g', heir.keys[0]!, 1);
    expect(found!.body.equals(body)).toBe(true);
    await heir.lot.remove([found!]);
    expect(await left(app, 'large')).toEqual([]);
  });

  it('is bounded by messages and by bytes', async () => {
    await using app = await bootNats({ url: own.url, prefix: 'bounded' });
    const client = app.get(NatsClient);
    const config = Object.assign(new NatsMessagingConfig(), { prefix: 'bounded', maxParked: 3, maxParkedBytes: 5_000 });
    const streams = new Streams(client, { logger: console } as never, config);
    const lot = new NatsParkingLot(client, streams, config);
    const ref = { topic: 't', number: 0 };
    const { revision } = (await new Owners(client, streams, 'g', 'one').claim('t', 0, () => false))!;
    lot.assigned('g', ref, { revision, known: () => undefined });
    const request = (position: number, bytes: number) => ({
      message: {
        id: `e${position}`,
        topic: 't',
        key: 'k',
        headers: {},
        body: Buffer.alloc(bytes),
        partition: 0,
        position,
        time: 1,
        attempts: 1,
      },
      attempts: 1,
      dueAt: 0,
      reason: '',
    });
    await lot.park('g', [request(1, 10), request(2, 10)], ever());
    const full = { code: 'INFRA_PARKING_FULL' };
    await expect(lot.park('g', [request(3, 6_000)], ever())).rejects.toMatchObject(full);
    await lot.park('g', [request(3, 10)], ever());
    await expect(lot.park('g', [request(4, 10)], ever())).rejects.toMatchObject(full);
    // Those that are there are no more.
    await lot.park('g', [request(1, 10), request(3, 10)], ever());
    await lot.remove(await lot.next('g', { topic: 't', partition: 0, key: 'k' }, 1));
    await lot.park('g', [request(4, 10)], ever());
    expect((await lot.size('g')).messages).toBe(3);
  });
});
