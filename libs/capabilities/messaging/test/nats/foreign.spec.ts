import { NatsClient, NatsModule } from '@core-infra/nats';
import { bootInfra, eventually, failure, type HttpApp, uniqueName, useNats } from '@core-infra/testing';
import { covers } from '../../src/drivers/nats/foreign.js';
import { EventBus, MessagingHub, type MessagingOptions } from '../../src/index.js';
import { type Step, stepped } from '../postgres/fixtures/steps.js';
import { bootNats, stepsHandler } from './fixtures/boot-nats.js';

jest.setTimeout(60_000);

const server = useNats();
const place = () => ({ url: server.url, prefix: uniqueName('events').toLowerCase() });
const stands = (subject: string, more: object = {}): MessagingOptions['topics'] => ({
  [stepped.type]: { codec: 'json', subject, ...more },
});
const word = (text: string): string => uniqueName(text).replaceAll('.', '-');

/** A stream as another system has made it. */
async function byHand(use: (client: NatsClient, stream: string, subject: string) => Promise<void>): Promise<void> {
  await using app = await bootInfra(NatsModule.forRoot({ url: server.url, startup: 'require' }));
  const client = app.get(NatsClient);
  const subject = word('legacy');
  const manager = await client.jetstreamManager();
  const stream = subject.toUpperCase();
  await manager.streams.add({ name: stream, subjects: [`${subject}.>`], max_msgs: 1_000, max_age: 3_600e9 });
  await use(client, stream, `${subject}.steps`);
}

async function backlog(app: HttpApp): Promise<number> {
  const hub: MessagingHub = app.get(MessagingHub as never, { strict: false });
  const all = await Promise.all([...hub.members].map(member => member.backlog(AbortSignal.timeout(5_000))));
  return all.flat().reduce((sum, { messages }) => sum + messages, 0);
}

describe('a stream of another system', () => {
  it.each([
    ['by its subject', () => ({})],
    ['by its subject and name', (stream: string) => ({ stream })],
  ])('that is known %s is published to and consumed from, and stays as it is', async (_how, more) => {
    await byHand(async (client, stream, subject) => {
      const manager = await client.jetstreamManager();
      const before = await manager.streams.info(stream);
      client.connection.publish(subject, '{"key":"a","at":0}');
      const seen: Step[] = [];
      await using app = await bootNats({
        ...place(),
        controllers: [stepsHandler(step => void seen.push({ ...step }))],
        options: { group: 'readers', topics: stands(subject, more(stream)) },
      });
      await eventually(() => expect(seen).toEqual([{ key: 'a', at: 0 }]));
      await app.get(EventBus).publish(stepped.of({ key: 'a', at: 1 }));
      client.connection.publish(subject, '{"key":"b","at":2}');
      await eventually(() => expect(seen.map(({ at }) => at)).toEqual([0, 1, 2]));
      const raw = await manager.streams.getMessage(stream, { seq: 2 });
      expect([raw?.subject, raw?.json()]).toEqual([subject, { key: 'a', at: 1 }]);
      await eventually(async () => expect(await backlog(app)).toBe(0));
      const after = await manager.streams.info(stream);
      expect(after.config).toEqual(before.config);
      expect([after.state.messages, after.state.consumer_count]).toEqual([3, 1]);
    });
  });

  it('keeps the order of a key that fails, over two members', async () => {
    await byHand(async (_client, _stream, subject) => {
      const where = place();
      const seen: number[] = [];
      const options: MessagingOptions = {
        group: 'readers',
        topics: { [stepped.type]: { subject } },
        retry: { firstDelayMs: 300, factor: 1, maxDelayMs: 300, attempts: 50, parkAfterMs: 0 },
      };
      let failures = 3;
      const handler = stepsHandler(({ at }) => {
        if (at === 0 && failures-- > 0) throw new Error('not yet');
        seen.push(at);
      });
      await using one = await bootNats({ ...where, controllers: [handler], options });
      await using _other = await bootNats({ ...where, controllers: [handler], options });
      await one.get(EventBus).publishBatch(Array.from({ length: 20 }, (_, at) => stepped.of({ key: 'a', at })));
      await eventually(() => expect(seen).toEqual(Array.from({ length: 20 }, (_, at) => at)), { timeoutMs: 20_000 });
    });
  });

  it('that is not there, or has another subject, is an error that says so', async () => {
    await byHand(async (_client, stream, subject) => {
      const publish = async (address: MessagingOptions['topics']) => {
        await using app = await bootNats({ ...place(), options: { topics: address } });
        return failure(app.get(EventBus).publish(stepped.of({ key: 'a', at: 0 })));
      };
      const none = word('nowhere');
      expect(await publish(stands(none))).toMatchObject({
        code: 'INFRA_NATS_SUBJECT',
        message: expect.stringContaining(`No stream has the subject "${none}"`) as string,
      });
      expect(await publish(stands(subject, { stream: none }))).toMatchObject({ code: 'INFRA_NATS_MISSING' });
      expect((await publish(stands(none, { stream }))).message).toContain(
        `The stream "${stream}" does not have the subject "${none}"`,
      );
    });
  });
});

describe('groups that are declared in advance', () => {
  it('get what was published before they had a member, though events are kept for groups alone', async () => {
    const where = place();
    const nats = { retention: 'interest' } as const;
    const topics = { [stepped.type]: { groups: ['later'] } };
    await using publisher = await bootNats({ ...where, options: { nats, topics } });
    await publisher.get(EventBus).publish(stepped.of({ key: 'a', at: 7 }));
    const seen: number[] = [];
    const late = stepsHandler(({ at }) => void seen.push(at));
    await using _later = await bootNats({ ...where, controllers: [late], options: { group: 'later', nats, topics } });
    await eventually(() => expect(seen).toEqual([7]));
  });
});

it('wildcards stand for one word, or for all that follow', () => {
  expect(['a.b', 'a.*', '*.b', 'a.>', '>'].map(pattern => covers(pattern, 'a.b'))).toEqual(Array(5).fill(true));
  expect(['a', 'a.b.c', 'a.b.>', 'a.*.*', 'b.>'].map(pattern => covers(pattern, 'a.b'))).toEqual(Array(5).fill(false));
});
