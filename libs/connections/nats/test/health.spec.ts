import { Connections, operations, type Operation } from '@core-infra/kernel';
import { NatsClient, type NatsMessage, NatsModule } from '@core-infra/nats';
import { bootInfra, eventually, failure, uniqueName, useNats, useNatsServer } from '@core-infra/testing';
import type { INestApplicationContext } from '@nestjs/common';

/** What the check says now. */
function checked(app: INestApplicationContext): Promise<Record<string, unknown>> {
  const [check] = app.get(Connections).checks();
  return check!.run() as Promise<Record<string, unknown>>;
}
const named = (name: string): string => uniqueName(name).replaceAll('.', '-');

describe('health', () => {
  const server = useNats();

  it('streams that are consumed or named take messages; lag, and its thresholds', async () => {
    const [stream, other] = [named('deep'), named('named')];
    await using app = await bootInfra(
      NatsModule.forRoot({
        startup: 'require',
        url: server.url,
        shutdownTimeoutMs: 500,
        health: { streams: [other], maxPending: 2, maxAckPending: 1 },
      }),
    );
    const client = app.get(NatsClient);
    expect(await failure(checked(app))).toMatchObject({ code: 'INFRA_NATS_MISSING', resource: other });
    await client.topology({
      streams: [
        { name: stream, subjects: [`${stream}.>`] },
        { name: other, subjects: [`${other}.*.x`] },
      ],
      consumers: [{ stream, name: 'c', maxAckPending: 2 }],
    });
    const held: NatsMessage[] = [];
    await client.consume(stream, 'c', { maxInFlight: 1 }, message => held.push(message));
    expect(await checked(app)).toEqual({
      server: expect.any(String) as string,
      version: expect.stringMatching(/^2\./) as string,
      pending: 0,
      messages: { [stream]: 0, [other]: 0 },
      lags: { [`${stream}/c`]: { pending: 0, ackPending: 0, redelivered: 0 } },
    });
    for (let n = 0; n < 5; n += 1) await client.publish({ subject: `${stream}.a`, data: '' });
    await eventually(async () =>
      expect((await checked(app)).degraded).toBe(`3 messages wait for ${stream}/c, more than health.maxPending (2)`),
    );
    // What the check publishes is kept by no stream.
    expect((await checked(app)).messages).toEqual({ [stream]: 5, [other]: 0 });
    for (const message of held) message.ack();
  });

  it('messages that are not acknowledged, over their threshold', async () => {
    const stream = named('slow');
    await using app = await bootInfra(
      NatsModule.forRoot({ startup: 'require', url: server.url, shutdownTimeoutMs: 500, health: { maxAckPending: 1 } }),
    );
    const client = app.get(NatsClient);
    await client.topology({
      streams: [{ name: stream, subjects: [stream] }],
      consumers: [{ stream, name: 'c' }],
    });
    await client.consume(stream, 'c', {}, () => undefined);
    for (let n = 0; n < 2; n += 1) await client.publish({ subject: stream, data: '' });
    await eventually(async () =>
      expect((await checked(app)).degraded).toBe(
        `2 messages of ${stream}/c are not acknowledged, more than health.maxAckPending (1)`,
      ),
    );
  });

  it('whether a stream takes messages is found out without writing to it, and told to those who listen once at most', async () => {
    const [asked, used] = [named('asked'), named('used')];
    await using app = await bootInfra(
      NatsModule.forRoot({ startup: 'require', url: server.url, health: { streams: [asked, used] } }),
    );
    const client = app.get(NatsClient);
    await client.topology({
      streams: [
        { name: asked, subjects: [asked] },
        { name: used, subjects: [used] },
      ],
    });
    const heard: string[] = [];
    for (const subject of [asked, used])
      client.connection.subscribe(subject, { callback: (_, { data }) => void heard.push(`${subject} ${data.length}`) });
    await client.publish({ subject: used, data: 'x' });
    for (let times = 0; times < 3; times += 1) expect((await checked(app)).messages).toEqual({ [asked]: 0, [used]: 1 });
    await client.connection.flush();
    expect(heard).toEqual([`${used} 1`, `${asked} 0`]);
  });

  it('a stream that is full and drops nothing is a failure, until there is room', async () => {
    const stream = named('full');
    await using app = await bootInfra(
      NatsModule.forRoot({ startup: 'require', url: server.url, health: { streams: [stream] } }),
    );
    const client = app.get(NatsClient);
    await client.topology({ streams: [{ name: stream, subjects: [stream], maxMessages: 1, discard: 'new' }] });
    await checked(app);
    await client.publish({ subject: stream, data: 'x' });
    expect(await failure(checked(app))).toMatchObject({
      code: 'INFRA_NATS_REFUSED',
      message: expect.stringContaining(`refused messages of the stream ${stream}: it is full`) as string,
    });
    await (await client.jetstreamManager()).streams.purge(stream);
    expect((await checked(app)).messages).toEqual({ [stream]: 0 });
  });

  it('every call is an operation, named by the first word of its subject', async () => {
    await using app = await bootInfra(NatsModule.forRoot({ startup: 'require', url: server.url }));
    const client = app.get(NatsClient);
    const stream = named('traced');
    const seen: Operation[] = [];
    const subscriber = { start: (operation: Operation) => void seen.push({ ...operation }) };
    operations('nats').subscribe(subscriber as never);
    try {
      await client.topology({ streams: [{ name: stream, subjects: [`${stream}.>`] }] });
      await client.publish({ subject: `${stream}.customer-42`, data: 'x' });
    } finally {
      operations('nats').unsubscribe(subscriber as never);
    }
    const common = { component: 'nats', connection: 'nats' };
    expect(seen).toEqual([
      { ...common, operation: 'declare' },
      { ...common, operation: 'publish', resource: stream },
    ]);
  });

  it('the shutdown lets handlers end, with what they publish, before the connection goes', async () => {
    const app = await bootInfra(NatsModule.forRoot({ startup: 'require', url: server.url }));
    const client = app.get(NatsClient);
    const stream = named('flow');
    await client.topology({
      streams: [{ name: stream, subjects: [`${stream}.>`] }],
      consumers: [
        { stream, name: 'in', filterSubjects: [`${stream}.in`] },
        { stream, name: 'out', filterSubjects: [`${stream}.out`] },
      ],
    });
    let begun = false;
    let finish!: () => void;
    const wait = new Promise<void>(resolve => (finish = resolve));
    await client.consume(stream, 'in', {}, async message => {
      begun = true;
      await wait;
      await client.publish({ subject: `${stream}.out`, data: 'done' });
      message.ack();
    });
    await client.publish({ subject: `${stream}.in`, data: 'x' });
    await eventually(() => expect(begun).toBe(true));
    const closing = app.close();
    finish();
    await closing;
    expect(client.isConnected).toBe(false);
    await using after = await bootInfra(NatsModule.forRoot({ startup: 'require', url: server.url }));
    const none = { pending: 0, ackPending: 0, redelivered: 0 };
    await eventually(async () => expect(await after.get(NatsClient).lag(stream, 'in')).toEqual(none));
    expect(await after.get(NatsClient).lag(stream, 'out')).toEqual({ ...none, pending: 1 });
  });
});

describe('a server without JetStream', () => {
  const bare = useNatsServer({ jetstream: false });

  it('says so where JetStream is needed, and serves the rest', async () => {
    await using app = await bootInfra(NatsModule.forRoot({ startup: 'require', url: bare.url }));
    const client = app.get(NatsClient);
    expect((await checked(app)).version).toMatch(/^2\./);
    const error = await failure(client.publish({ subject: 'a', data: 'x' }));
    expect(error).toMatchObject({ code: 'INFRA_NATS_NO_STREAM' });
    expect(error.message).toMatch(/or JetStream is off/);
    const declaring = await failure(client.topology({ streams: [{ name: 's', subjects: ['s'] }] }));
    expect(declaring).toMatchObject({ code: 'INFRA_NATS_NO_STREAM' });
  });
});

describe('an account and a server that fail the check', () => {
  const guarded = useNatsServer({
    users: [{ name: 'reader', password: 'pw', publish: ['$JS.API.>'], subscribe: ['_INBOX.>'] }],
  });

  it('one that may not publish to the stream, by the subject', async () => {
    await using owner = await bootInfra(NatsModule.forRoot({ startup: 'require', url: guarded.url }));
    await owner.get(NatsClient).topology({ streams: [{ name: 'theirs', subjects: ['theirs.>'] }] });
    await using app = await bootInfra(
      NatsModule.forRoot({
        startup: 'require',
        url: guarded.urlFor('reader', 'pw'),
        health: { streams: ['theirs'] },
      }),
    );
    for (let times = 0; times < 2; times += 1)
      expect(await failure(checked(app))).toMatchObject({
        code: 'INFRA_NATS_PERMISSION',
        subject: 'theirs.core-infra-health',
      });
  });

  it('is away: an app boots all the same, is degraded and not down, and is well when the server comes', async () => {
    await guarded.stop();
    await using app = await bootInfra(NatsModule.forRoot({ url: guarded.url, retry: { maxDelayMs: 100 } }));
    const [check] = app.get(Connections).checks();
    expect(check!.critical).toBe(false);
    await eventually(async () =>
      expect(((await failure(checked(app))).cause as Error).message).toMatch(/connection refused/),
    );
    const asked = app.get(NatsClient).publish({ subject: 'theirs.a', data: 'x' });
    await guarded.start();
    await eventually(async () => expect((await checked(app)).version).toMatch(/^2\./));
    expect((await asked).stream).toBe('theirs');
  });

  it('refuses the login: the check says so', async () => {
    await using app = await bootInfra(
      NatsModule.forRoot({ servers: [`${guarded.host}:${guarded.port}`], user: 'reader', password: 'hunter2' }),
    );
    await eventually(async () =>
      expect(((await failure(checked(app))).cause as Error).message).toMatch(
        /refuses the login of reader: the user or the password/,
      ),
    );
  });
});
