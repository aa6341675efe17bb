import { NatsClient, type NatsMessage, NatsModule } from '@core-infra/nats';
import { bootLogged, eventually, failure, uniqueName, useNatsServer, useToxiproxy } from '@core-infra/testing';

const hurried = { retry: { firstDelayMs: 20, maxDelayMs: 100 }, connectTimeoutMs: 3_000, commandTimeoutMs: 2_000 };
const named = (name: string): string => uniqueName(name).replaceAll('.', '-');

describe('a server that goes away and comes back', () => {
  const server = useNatsServer();

  it('killed under load: all that was acknowledged is there once, waiting messages go through, consumers come back', async () => {
    await using booted = await bootLogged(NatsModule.forRoot({ startup: 'require', url: server.url, ...hurried }));
    const client = booted.app.get(NatsClient);
    const stream = named('load');
    await client.topology({
      streams: [{ name: stream, subjects: [stream] }],
      consumers: [{ stream, name: 'c', ackWaitMs: 2_000 }],
    });
    const seen = new Map<number, number>();
    const held: NatsMessage[] = [];
    await client.consume(stream, 'c', { maxInFlight: 20 }, message => {
      const n = Number(message.text());
      seen.set(n, (seen.get(n) ?? 0) + 1);
      if (n === 0 && held.length === 0) held.push(message);
      else message.ack();
    });
    const published: Promise<{ seq: number }>[] = [];
    const publish = (n: number) => published.push(client.publish({ subject: stream, data: String(n) }));
    for (let n = 0; n < 500; n += 1) publish(n);
    await published[100];
    await eventually(() => expect(held).toHaveLength(1));
    for (let n = 500; n < 1_500; n += 1) publish(n);
    const changes: boolean[] = [];
    client.onChange(isConnected => changes.push(isConnected));
    await server.kill();
    await eventually(() => expect(client.isConnected).toBe(false));
    for (let n = 1_500; n < 2_000; n += 1) publish(n);
    expect(await failure(client.publish({ subject: stream, data: 'x' }, { whileAway: 'fail' }))).toMatchObject({
      code: 'INFRA_NATS_UNAVAILABLE',
    });
    await server.start();
    const acknowledged = await Promise.all(published);
    expect(new Set(acknowledged.map(({ seq }) => seq)).size).toBe(2_000);
    await eventually(() => expect(seen.size).toBe(2_000), { timeoutMs: 20_000 });
    // What was not acknowledged came again.
    await eventually(() => expect(seen.get(0)).toBeGreaterThan(1), { timeoutMs: 10_000 });
    const manager = await client.jetstreamManager();
    expect((await manager.streams.info(stream)).state.messages).toBe(2_000);
    expect(changes).toEqual([false, true]);
    expect(booted.logger.matching(/^nats is away: /)).toHaveLength(1);
    expect(booted.logger.matching(/^nats is back after \d+ ms$/)).toHaveLength(1);
  });

  it('a stream in memory, which went with the server, is declared again', async () => {
    await using booted = await bootLogged(NatsModule.forRoot({ startup: 'require', url: server.url, ...hurried }));
    const client = booted.app.get(NatsClient);
    const stream = named('memory');
    await client.topology({
      streams: [{ name: stream, subjects: [stream], storage: 'memory' }],
      consumers: [{ stream, name: 'c' }],
    });
    const got: string[] = [];
    await client.consume(stream, 'c', {}, message => {
      got.push(message.text());
      message.ack();
    });
    await server.restart();
    await eventually(() => expect(client.isConnected).toBe(true));
    await eventually(() => client.publish({ subject: stream, data: 'after' }));
    await eventually(() => expect(got).toContain('after'), { timeoutMs: 30_000 });
  });

  it('a consumer that is deleted is told once, and works on when it is back', async () => {
    await using booted = await bootLogged(NatsModule.forRoot({ startup: 'require', url: server.url, ...hurried }));
    const client = booted.app.get(NatsClient);
    const stream = named('deleted');
    const topology = { streams: [{ name: stream, subjects: [stream] }], consumers: [{ stream, name: 'c' }] };
    await client.topology(topology);
    const got: string[] = [];
    await client.consume(stream, 'c', {}, message => {
      got.push(message.text());
      message.ack();
    });
    await (await client.jetstreamManager()).consumers.delete(stream, 'c');
    await eventually(() =>
      expect(booted.logger.matching(/does not consume from .*There is no consumer/)).toHaveLength(1),
    );
    await client.topology(topology);
    await client.publish({ subject: stream, data: 'again' });
    await eventually(() => expect(got).toEqual(['again']), { timeoutMs: 30_000 });
    expect(booted.logger.matching(/does not consume from/)).toHaveLength(1);
  });

  it('times out while the server is away, and leaves when the app does', async () => {
    await using booted = await bootLogged(
      NatsModule.forRoot({
        startup: 'require',
        url: server.url,
        ...hurried,
        commandTimeoutMs: 200,
        shutdownTimeoutMs: 1_000,
      }),
    );
    const client = booted.app.get(NatsClient);
    await server.stop();
    await eventually(() => expect(client.isConnected).toBe(false));
    expect(await failure(client.publish({ subject: 'q', data: 'x' }, { timeoutMs: 150 }))).toMatchObject({
      code: 'INFRA_NATS_TIMEOUT',
      retryable: true,
    });
    expect(await failure(client.request('q'))).toMatchObject({ code: 'INFRA_NATS_UNAVAILABLE' });
    expect(await failure(client.topology({ streams: [{ name: 's', subjects: ['s'] }] }))).toMatchObject({
      code: 'INFRA_NATS_UNAVAILABLE',
    });
    const abort = new AbortController();
    const waiting = failure(client.publish({ subject: 'q', data: 'x' }, { signal: abort.signal }));
    abort.abort(new Error('enough'));
    expect((await waiting).message).toBe('enough');
    const left = failure(client.publish({ subject: 'q', data: 'x' }));
    await booted.app.close();
    expect((await left).message).toMatch(/is closed|is away/);
    await server.start();
  });
});

describe('a network that fails', () => {
  const server = useNatsServer();
  const proxy = useToxiproxy(() => server.url);

  it('resets under load: everything is acknowledged, once', async () => {
    await using booted = await bootLogged(NatsModule.forRoot({ startup: 'require', url: proxy.url, ...hurried }));
    const client = booted.app.get(NatsClient);
    const stream = named('resets');
    // What was on its way when the connection was reset comes again after this time.
    const consumer = { stream, name: 'c', ackWaitMs: 2_000 };
    await client.topology({ streams: [{ name: stream, subjects: [stream] }], consumers: [consumer] });
    const seen = new Set<number>();
    await client.consume(stream, 'c', {}, message => {
      seen.add(Number(message.text()));
      message.ack();
    });
    const published: Promise<{ seq: number }>[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 200; n += 1)
        published.push(client.publish({ subject: stream, data: String(round * 200 + n) }));
      await proxy.resetPeer();
      // A server says nothing by itself for long: a ping meets the fault.
      void client.connection.flush().catch(() => undefined);
      await eventually(() => expect(client.isConnected).toBe(false));
      await proxy.heal();
      await eventually(() => expect(client.isConnected).toBe(true));
    }
    expect(new Set((await Promise.all(published)).map(({ seq }) => seq)).size).toBe(600);
    await eventually(() => expect(seen.size).toBe(600), { timeoutMs: 20_000 });
  });

  it('a half-open connection is noticed by the pings', async () => {
    await using booted = await bootLogged(
      NatsModule.forRoot({ startup: 'require', url: proxy.url, ...hurried, pingIntervalMs: 200 }),
    );
    const client = booted.app.get(NatsClient);
    await proxy.halfOpen();
    await eventually(() => expect(client.isConnected).toBe(false), { timeoutMs: 10_000 });
    await proxy.heal();
    await eventually(() => expect(client.isConnected).toBe(true));
  });
});
