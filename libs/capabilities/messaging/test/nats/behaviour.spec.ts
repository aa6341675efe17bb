import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connections } from '@core-infra/kernel';
import { NatsClient } from '@core-infra/nats';
import { eventually, failure, uniqueName, useNats } from '@core-infra/testing';
import { type DeadLetter, EventBus, MessagingHub } from '../../src/index.js';
import { inversions, type Step, stepped } from '../postgres/fixtures/steps.js';
import { bootNats, stepsHandler } from './fixtures/boot-nats.js';

jest.setTimeout(60_000);

const server = useNats();
const hubOf = (app: { get: (...args: never[]) => unknown }): MessagingHub =>
  app.get(...([MessagingHub, { strict: false }] as never[])) as MessagingHub;

function place(): { url: string; prefix: string } {
  return { url: server.url, prefix: uniqueName('events').toLowerCase() };
}

describe('messages over NATS', () => {
  it('are handed out once though a handler takes longer than a member may be silent', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const slow = stepsHandler(async ({ at }) => {
      begun.push(at);
      await sleep(at === 0 ? 2_500 : 1);
      ended.push(at);
    });
    await using app = await bootNats({
      ...place(),
      controllers: [slow],
      options: { group: uniqueName('group'), nats: { memberTimeoutMs: 600 } },
    });
    await app.get(EventBus).publishBatch([0, 1, 2].map(at => stepped.of({ key: 'a', at })));
    await eventually(() => expect(ended).toEqual([0, 1, 2]), { timeoutMs: 20_000 });
    await eventually(async () => expect(await waiting(app)).toBe(0));
    expect(begun).toEqual([0, 1, 2]);
  });

  it('of other keys go on past eight that are poison, whatever partition they share', async () => {
    const handled: Step[] = [];
    const handler = stepsHandler(step => {
      if (step.key.startsWith('poison')) throw new Error('never');
      handled.push(step);
    });
    await using app = await bootNats({
      ...place(),
      controllers: [handler],
      options: {
        group: uniqueName('group'),
        consumers: { concurrency: 8 },
        retry: { firstDelayMs: 60_000, maxDelayMs: 60_000, attempts: 3 },
      },
    });
    const bus = app.get(EventBus);
    await bus.publishBatch(Array.from({ length: 8 }, (_, at) => stepped.of({ key: `poison-${at}`, at: 0 })));
    await bus.publishBatch(
      Array.from({ length: 400 }, (_, index) => stepped.of({ key: `key-${index % 40}`, at: Math.floor(index / 40) })),
    );
    await eventually(() => expect(handled).toHaveLength(400), { timeoutMs: 20_000 });
    expect(inversions(handled)).toEqual([]);
    // Those wait at the server, or in hand where their pause is a short one.
    await eventually(async () => {
      const { messages } = await hubOf(app).driver.parking!.size(undefined, AbortSignal.timeout(5_000));
      expect(messages + (await waiting(app))).toBe(8);
    });
  });

  it('of a system that knows nothing of events are read from its subjects', async () => {
    const { url, prefix } = place();
    const seen: unknown[] = [];
    const handler = stepsHandler(step => void seen.push({ ...step }));
    await using app = await bootNats({
      url,
      prefix,
      controllers: [handler],
      options: { group: uniqueName('group'), topics: { [stepped.type]: { codec: 'json', topic: 'their.steps' } } },
    });
    const { connection } = app.get(NatsClient);
    connection.publish(`${prefix}.their.steps.3`, '{"key":"a","at":1}');
    await eventually(() => expect(seen).toEqual([{ key: 'a', at: 1 }]));
    await app.get(EventBus).publish(stepped.of({ key: 'b', at: 2 }));
    await eventually(() => expect(seen).toHaveLength(2));
    const manager = await app.get(NatsClient).jetstreamManager();
    const raw = await manager.streams.getMessage(prefix.toUpperCase(), { seq: 2 });
    expect(raw?.json()).toEqual({ key: 'b', at: 2 });
    expect(raw?.header.get('content-type')).toBe('application/json');
  });

  it('that were published twice with one id are one message', async () => {
    const seen: Step[] = [];
    const group = uniqueName('group');
    await using app = await bootNats({
      ...place(),
      controllers: [stepsHandler(s => void seen.push(s))],
      options: { group },
    });
    const twice = stepped.of({ key: 'a', at: 0 }, { id: 'one' });
    await app.get(EventBus).publish(twice);
    await app.get(EventBus).publish(twice);
    await app.get(EventBus).publish(stepped.of({ key: 'a', at: 1 }));
    await eventually(() => expect(seen.map(({ at }) => at)).toEqual([0, 1]));
  });

  it('that are larger than the server takes are refused when they are published', async () => {
    await using app = await bootNats({ ...place(), options: { maxMessageBytes: 100_000_000 } });
    const { maxBytes } = hubOf(app).driver.features;
    expect(maxBytes).toBe(1_048_576 - 4_096);
    await expect(app.get(EventBus).publish(stepped.of({ key: 'x'.repeat(400), at: 1 }))).resolves.toBeUndefined();
    const large = { id: '1', topic: 'steps', headers: {}, body: Buffer.alloc(2_000_000), kind: 'event' } as const;
    const results = await hubOf(app).driver.publish(
      [
        { ...large, key: 'a' },
        { ...large, id: '2', key: 'a', body: Buffer.alloc(1) },
        { ...large, id: '3', key: 'b', body: Buffer.alloc(1) },
      ],
      AbortSignal.timeout(5_000),
    );
    // The second must not overtake the first, the third may.
    expect(results.map(error => (error as { code?: string } | undefined)?.code)).toEqual([
      'INFRA_NATS_OVERSIZE',
      'INFRA_NATS_OVERSIZE',
      undefined,
    ]);
  });

  it('that are dead are kept whole, however large they are, and found by their id and group', async () => {
    await using app = await bootNats(place());
    const { deadLetters } = hubOf(app).driver;
    const signal = AbortSignal.timeout(20_000);
    const letter = (id: string, group: string, body: Buffer) => ({
      id,
      group,
      message: { id: 'e', topic: 'steps', key: 'ä', headers: { 'x-a': 'ü\n', ce_id: 'e' }, body },
      reason: 'attempts' as const,
      error: { name: 'Error', message: 'never' },
      partition: 1,
      position: 7,
      attempts: 3,
      firstAttemptAt: 1,
      lastAttemptAt: 2,
    });
    const large = letter('id-1', 'a.b', Buffer.alloc(2_500_000, 'xyz'));
    const small = letter('id-2', 'a.b', Buffer.from('ö'));
    const other = letter('id-3', 'c', Buffer.from(''));
    await deadLetters.add([large], signal);
    await deadLetters.add([small, other], signal);
    await deadLetters.add([small], signal);
    const ofGroup = await deadLetters.list({ group: 'a.b' }, { limit: 10 }, signal);
    expect(ofGroup.map(digest)).toEqual([large, small].map(digest));
    expect((await deadLetters.list({}, { limit: 10, after: 'id-1' }, signal)).map(({ id }) => id).toSorted()).toEqual([
      'id-2',
      'id-3',
    ]);
    expect((await deadLetters.list({}, { limit: 1 }, signal)).map(({ id }) => id)).toEqual(['id-1']);
    expect(await deadLetters.get('id-3', signal)).toEqual(other);
    expect(await deadLetters.get('no > id', signal)).toBeUndefined();
    expect(await deadLetters.count({ key: 'ä' }, signal)).toBe(3);
    expect(await deadLetters.remove(['id-1', 'id-1', 'none'], signal)).toBe(1);
    expect(await deadLetters.count({}, signal)).toBe(2);
  });

  it('are retried in `fast` mode, also when they are due only after some time', async () => {
    const tries: number[] = [];
    const handler = stepsHandler(
      () => {
        tries.push(Date.now());
        if (tries.length === 1) throw new Error('not yet');
      },
      { ordered: false },
    );
    const group = uniqueName('group');
    const retry = { firstDelayMs: 3_000, maxDelayMs: 3_000, attempts: 3 };
    await using app = await bootNats({ ...place(), controllers: [handler], options: { group, retry } });
    await app.get(EventBus).publish(stepped.of({ key: 'a', at: 0 }));
    await eventually(() => expect(tries).toHaveLength(2), { timeoutMs: 20_000 });
    await eventually(async () => expect(await waiting(app)).toBe(0));
  });
});

describe('the streams of NATS', () => {
  it('say who has another number of partitions', async () => {
    const where = place();
    await using _app = await bootNats(where);
    await expect(bootNats({ ...where, options: { nats: { partitions: 4 } } })).rejects.toThrow(
      /has 8 partitions, and messaging.nats.partitions is 4/,
    );
  });

  it('are used as they are where an operator has changed a limit', async () => {
    const where = place();
    const seen: Step[] = [];
    await using first = await bootNats(where);
    const manager = await first.get(NatsClient).jetstreamManager();
    await manager.streams.update(where.prefix.toUpperCase(), { max_age: 3_600_000_000_000 });
    await using app = await bootNats({
      ...where,
      controllers: [stepsHandler(s => void seen.push(s))],
      options: { group: 'g' },
    });
    await app.get(EventBus).publish(stepped.of({ key: 'a', at: 0 }));
    await eventually(() => expect(seen).toHaveLength(1));
    const { config } = await manager.streams.info(where.prefix.toUpperCase());
    expect(config.max_age).toBe(3_600_000_000_000);
  });

  it('are one for each topic where that is wanted, and are made again when somebody has deleted one', async () => {
    const where = place();
    const seen: number[] = [];
    await using app = await bootNats({
      ...where,
      controllers: [stepsHandler(({ at }) => void seen.push(at))],
      options: { group: 'g', nats: { streamPerTopic: true } },
    });
    const bus = app.get(EventBus);
    await bus.publish(stepped.of({ key: 'a', at: 0 }));
    await eventually(() => expect(seen).toEqual([0]));
    const manager = await app.get(NatsClient).jetstreamManager();
    await manager.streams.delete(`${where.prefix.toUpperCase()}=steps~made`);
    await bus.publish(stepped.of({ key: 'a', at: 1 }));
    await eventually(() => expect(seen).toEqual([0, 1]), { timeoutMs: 20_000 });
  });

  it('are looked at by the check, which names one that is gone', async () => {
    const where = place();
    await using app = await bootNats({ ...where, options: { nats: { streamPerTopic: true } } });
    await app.get(EventBus).publish(stepped.of({ key: 'a', at: 0 }));
    const check = app
      .get(Connections)
      .checks()
      .find(({ name }) => name === 'messaging')!;
    const name = where.prefix.toUpperCase();
    expect(await check.run()).toMatchObject({
      streams: { [`${name}=steps~made`]: 1, [`${name}_DLQ`]: 0, [`${name}_RETRY`]: 0, [`${name}_TASKS`]: 0 },
      deadLetters: 0,
      parked: { keys: 0, messages: 0, bytes: 0 },
    });
    await (await app.get(NatsClient).jetstreamManager()).streams.delete(`${name}=steps~made`);
    expect(await failure(check.run())).toMatchObject({
      code: 'INFRA_NATS_MISSING',
      message: expect.stringContaining(`There is no stream ${name}=steps~made.`) as string,
    });
  });

  it('give a new group what comes from then on, where that is wanted', async () => {
    const where = place();
    const seen: number[] = [];
    await using publisher = await bootNats(where);
    const bus = publisher.get(EventBus);
    await bus.publish(stepped.of({ key: 'a', at: 0 }));
    await using app = await bootNats({
      ...where,
      controllers: [stepsHandler(({ at }) => void seen.push(at))],
      options: { group: 'late', nats: { startAt: 'new' } },
    });
    expect(hubOf(app).driver.features.retention).toBe('subscribers');
    await bus.publish(stepped.of({ key: 'a', at: 1 }));
    await eventually(() => expect(seen).toEqual([1]));
  });
});

/** Jest takes seconds to compare megabytes. */
function digest({ message, ...rest }: DeadLetter): object {
  return { ...rest, message: { ...message, body: createHash('sha256').update(message.body).digest('hex') } };
}

/** Messages that the group has not settled, by what the server says. */
async function waiting(app: { get: (...args: never[]) => unknown }): Promise<number> {
  let sum = 0;
  for (const member of hubOf(app).members)
    for (const { messages } of await member.backlog(AbortSignal.timeout(5_000))) sum += messages;
  return sum;
}
