import { Injectable, Module } from '@nestjs/common';
import { InjectNats, NatsClient, type NatsMessage, NatsModule } from '@core-infra/nats';
import { bootInfra, eventually, failure, uniqueName, useNats } from '@core-infra/testing';

/** A name that is fit for a stream and for a subject. */
const named = (name: string): string => uniqueName(name).replaceAll('.', '-');

describe('NatsModule', () => {
  const server = useNats();
  const boot = (options = {}) => bootInfra(NatsModule.forRoot({ startup: 'require', url: server.url, ...options }));

  async function declared(client: NatsClient, more: { maxDeliver?: number; ackWaitMs?: number } = {}) {
    const stream = named('orders');
    await client.topology({
      streams: [{ name: stream, subjects: [`${stream}.>`] }],
      consumers: [{ stream, name: 'worker', ...more }],
    });
    return stream;
  }

  it('declares a stream and a durable consumer, publishes and consumes: headers, sequence, acknowledged', async () => {
    await using app = await boot();
    const client = app.get(NatsClient);
    const stream = await declared(client);
    const got: NatsMessage[] = [];
    const consumer = await client.consume(stream, 'worker', {}, message => got.push(message));
    const ack = await client.publish({ subject: `${stream}.placed`, data: '{"id":1}', headers: { tenant: 'a' } });
    expect(ack).toMatchObject({ stream, seq: 1, duplicate: false });
    await eventually(() => expect(got).toHaveLength(1));
    const [message] = got;
    expect(message!.text()).toBe('{"id":1}');
    expect(message!.headers!.get('tenant')).toBe('a');
    expect([message!.subject, message!.streamSequence, message!.deliveryCount]).toEqual([`${stream}.placed`, 1, 1]);
    expect(await client.lag(stream, 'worker')).toEqual({ pending: 0, ackPending: 1, redelivered: 0 });
    expect(consumer.inFlight).toBe(1);
    expect(await message!.ackConfirmed()).toBe(true);
    expect(message!.ack()).toBe('repeated');
    expect(consumer.inFlight).toBe(0);
    expect(await client.lag(stream, 'worker')).toEqual({ pending: 0, ackPending: 0, redelivered: 0 });
    await consumer.cancel();
  });

  it('the same message id is no second message', async () => {
    await using app = await boot();
    const client = app.get(NatsClient);
    const stream = await declared(client);
    const message = { subject: `${stream}.a`, data: 'x', msgId: 'one' };
    expect((await client.publish(message)).duplicate).toBe(false);
    expect((await client.publish(message)).duplicate).toBe(true);
    expect((await client.lag(stream, 'worker')).pending).toBe(1);
  });

  it('nak brings it back after its delay, term never, a handler that throws does', async () => {
    await using app = await boot();
    const client = app.get(NatsClient);
    const stream = await declared(client);
    const seen: string[] = [];
    await client.consume(stream, 'worker', { retryDelayMs: 10 }, async message => {
      seen.push(`${message.text()}${message.deliveryCount}`);
      await Promise.resolve();
      if (message.text() === 'term') return message.term('no use');
      if (message.deliveryCount === 1 && message.text() === 'throw') throw new Error('not yet');
      return message.deliveryCount < 3 && message.text() === 'nak' ? message.nak(20) : message.ack();
    });
    for (const data of ['nak', 'term', 'throw']) await client.publish({ subject: `${stream}.a`, data });
    await eventually(() =>
      expect(new Set(seen)).toEqual(new Set(['nak1', 'nak2', 'nak3', 'term1', 'throw1', 'throw2'])),
    );
    await eventually(async () =>
      expect(await client.lag(stream, 'worker')).toMatchObject({ pending: 0, ackPending: 0 }),
    );
  });

  it('working keeps a message from being delivered again', async () => {
    await using app = await boot();
    const client = app.get(NatsClient);
    const stream = await declared(client, { ackWaitMs: 400 });
    const got: NatsMessage[] = [];
    const other: NatsMessage[] = [];
    const consumer = await client.consume(stream, 'worker', { workingEveryMs: 100 }, message => got.push(message));
    await client.publish({ subject: `${stream}.kept`, data: '' });
    await eventually(() => expect(got).toHaveLength(1));
    await consumer.pause();
    await client.consume(stream, 'worker', {}, message => other.push(message));
    // Another one that nobody works on comes again in the meantime, more than once.
    await client.publish({ subject: `${stream}.let-go`, data: '' });
    await eventually(() => expect(other.length).toBeGreaterThan(2));
    expect(other.every(({ subject }) => subject.endsWith('let-go'))).toBe(true);
    expect(got[0]!.ack()).toBe('sent');
    for (const message of other) message.ack();
  });

  it('maxInFlight bounds what the handler has; pause sends back what was fetched ahead; drain waits', async () => {
    await using app = await boot();
    const client = app.get(NatsClient);
    const stream = await declared(client);
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => client.publish({ subject: `${stream}.a`, data: String(i) })),
    );
    const held: NatsMessage[] = [];
    const consumer = await client.consume(stream, 'worker', { maxInFlight: 3 }, message => held.push(message));
    await eventually(() => expect(held).toHaveLength(3));
    await eventually(async () => expect((await client.lag(stream, 'worker')).ackPending).toBeGreaterThan(3));
    expect(consumer.inFlight).toBe(3);
    await consumer.pause();
    expect(consumer.isActive).toBe(false);
    // Long before their time is over, which is 30 s, another one has all but what the handler holds.
    const others: NatsMessage[] = [];
    const other = await client.consume(stream, 'worker', {}, message => others.push(message));
    await eventually(() => expect(others).toHaveLength(17));
    expect(held).toHaveLength(3);
    await other.pause();
    for (const message of others) message.ack();
    await client.publish({ subject: `${stream}.a`, data: 'last' });
    await consumer.resume();
    for (const message of held.splice(0)) message.ack();
    await eventually(() => expect(held).toHaveLength(1));
    let drained = false;
    const draining = consumer.drain().then(() => (drained = true));
    await eventually(() => expect(consumer.isActive).toBe(false));
    expect(await client.lag(stream, 'worker')).toMatchObject({ ackPending: 1 });
    expect(drained).toBe(false);
    for (const message of held.splice(0)) message.ack();
    await draining;
    expect(consumer.inFlight).toBe(0);
  });

  it('many at once, each with its own answer', async () => {
    await using app = await boot({ maxInFlight: 50 });
    const client = app.get(NatsClient);
    const stream = await declared(client);
    const results = await Promise.allSettled(
      Array.from({ length: 1_000 }, (_, i) =>
        client.publish({ subject: i === 500 ? `${stream}-nowhere.a` : `${stream}.a`, data: String(i) }),
      ),
    );
    const failed = results.flatMap((result, i) => (result.status === 'rejected' ? [[i, result.reason] as const] : []));
    expect(failed).toEqual([
      [500, expect.objectContaining({ code: 'INFRA_NATS_NO_STREAM', subject: `${stream}-nowhere.a` })],
    ]);
    expect((await client.lag(stream, 'worker')).pending).toBe(999);
  });

  it('differences are compared and named, or changed', async () => {
    await using app = await boot();
    const client = app.get(NatsClient);
    const stream = named('compared');
    const streams = [{ name: stream, subjects: [`${stream}.a`, `${stream}.b`], maxAgeMs: 60_000 }];
    const consumers = [{ stream, name: 'c', ackWaitMs: 10_000, filterSubjects: [`${stream}.a`] }];
    await client.topology({ streams, consumers });
    await client.topology({ streams: [{ ...streams[0]!, subjects: [`${stream}.b`, `${stream}.a`] }], consumers });
    const other = { ...streams[0]!, maxAgeMs: 5_000, maxMessages: 10 };
    expect(await failure(client.topology({ streams: [other] }))).toMatchObject({
      code: 'INFRA_NATS_TOPOLOGY',
      kind: 'stream',
      resource: stream,
      differences: ['max_age: 5000 ms is declared, it has 60000 ms', 'max_msgs: 10 is declared, it has -1'],
    });
    expect((await failure(client.topology({ consumers: [{ ...consumers[0]!, ackWaitMs: 1_000 }] }))).message).toContain(
      `The consumer ${stream}/c is not as it is declared: ack_wait: 1000 ms is declared, it has 10000 ms.`,
    );
    await client.topology({ streams: [{ ...other, duplicateWindowMs: 5_000 }] }, { onDifference: 'update' });
    const manager = await client.jetstreamManager();
    expect((await manager.streams.info(stream)).config).toMatchObject({ max_age: 5e9, max_msgs: 10 });
    const impossible = await failure(
      client.topology({ streams: [{ ...other, storage: 'memory' }] }, { onDifference: 'update' }),
    );
    expect(impossible.message).toMatch(/storage: memory is declared, it has file; it cannot be changed: /);
  });

  it('what is not there, too large, full, aborted: says so', async () => {
    await using app = await boot({ maxPayloadBytes: 1_000 });
    const client = app.get(NatsClient);
    const stream = await declared(client);
    expect(await failure(client.consume('no-such', 'worker', {}, () => undefined))).toMatchObject({
      code: 'INFRA_NATS_MISSING',
      message: expect.stringMatching('There is no stream no-such.') as string,
    });
    expect((await failure(client.lag(stream, 'nobody'))).message).toMatch(`There is no consumer ${stream}/nobody.`);
    expect(await failure(client.publish({ subject: `${stream}.a`, data: Buffer.alloc(1_001) }))).toMatchObject({
      code: 'INFRA_NATS_OVERSIZE',
      bytes: 1_064,
      maxBytes: 1_000,
    });
    const full = named('full');
    await client.topology({ streams: [{ name: full, subjects: [full], maxMessages: 1, discard: 'new' }] });
    await client.publish({ subject: full, data: 'a' });
    expect(await failure(client.publish({ subject: full, data: 'b' }))).toMatchObject({
      code: 'INFRA_NATS_REFUSED',
      message: expect.stringMatching(/maximum messages exceeded/) as string,
    });
    const reason = new Error('enough');
    await expect(client.publish({ subject: full, data: 'a' }, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  });

  it('core NATS: request and reply, and nobody who answers', async () => {
    await using app = await boot();
    const client = app.get(NatsClient);
    const subject = named('echo');
    client.connection.subscribe(subject, { callback: (_, message) => void message.respond(message.data) });
    expect((await client.request(subject, 'said')).string()).toBe('said');
    expect(await failure(client.request(`${subject}-not`))).toMatchObject({ code: 'INFRA_NATS_NO_RESPONDERS' });
    client.connection.subscribe(`${subject}.mute`, { callback: () => undefined });
    expect(await failure(client.request(`${subject}.mute`, '', { timeoutMs: 50 }))).toMatchObject({
      code: 'INFRA_NATS_TIMEOUT',
    });
  });

  it('injects named connections', async () => {
    @Injectable()
    class Uses {
      constructor(
        readonly plain: NatsClient,
        @InjectNats('audit') readonly audit: NatsClient,
      ) {}
    }
    @Module({ providers: [Uses], exports: [Uses] })
    class UsesModule {}
    await using app = await bootInfra(
      NatsModule.forRoot({ startup: 'require', url: server.url }),
      NatsModule.forRoot({ startup: 'require', name: 'audit', url: server.url }),
      UsesModule,
    );
    const { plain, audit } = app.get(Uses);
    expect(plain).not.toBe(audit);
    expect(plain.connection.info!.client_id).not.toBe(audit.connection.info!.client_id);
    expect(plain.connection.info!.server_id).toBe(audit.connection.info!.server_id);
  });
});
