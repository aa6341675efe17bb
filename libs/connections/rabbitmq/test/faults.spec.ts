import { RabbitmqClient, type RabbitmqMessage, RabbitmqModule } from '@core-infra/rabbitmq';
import { bootLogged, eventually, failure, uniqueName, useRabbitmqServer, useToxiproxy } from '@core-infra/testing';

const hurried = { retry: { firstDelayMs: 20, maxDelayMs: 100 }, connectTimeoutMs: 3_000 };

describe('a broker that goes away and comes back', () => {
  const server = useRabbitmqServer();

  it('killed under load: nothing that was confirmed is lost, waiting messages go through, consumers come back', async () => {
    await using booted = await bootLogged(RabbitmqModule.forRoot({ startup: 'require', url: server.url, ...hurried }));
    const client = booted.app.get(RabbitmqClient);
    const queue = uniqueName('load');
    await client.topology({ queues: [{ name: queue }] });
    await server.settled();
    const seen = new Map<number, number>();
    const held: RabbitmqMessage[] = [];
    await client.consume(queue, { prefetch: 20 }, message => {
      const n = Number(message.content.toString());
      seen.set(n, (seen.get(n) ?? 0) + 1);
      if (n === 0 && held.length === 0) held.push(message);
      else message.ack();
    });
    const published: Promise<number>[] = [];
    const publish = (n: number) => published.push(client.send(queue, { content: String(n) }).then(() => n));
    for (let n = 0; n < 500; n += 1) publish(n);
    await published[100];
    await eventually(() => expect(held).toHaveLength(1));
    for (let n = 500; n < 1_500; n += 1) publish(n);
    const changes: boolean[] = [];
    client.onChange(isConnected => changes.push(isConnected));
    await server.kill();
    await eventually(() => expect(client.isConnected).toBe(false));
    expect(held[0]!.ack()).toBe('lost');
    for (let n = 1_500; n < 2_000; n += 1) publish(n);
    expect(await failure(client.send(queue, { content: 'now or never' }, { whileAway: 'fail' }))).toMatchObject({
      code: 'INFRA_RABBITMQ_UNAVAILABLE',
    });
    await server.start();
    const confirmed = await Promise.all(published);
    expect(confirmed).toHaveLength(2_000);
    await eventually(() => expect(confirmed.filter(n => !seen.has(n))).toEqual([]), { timeoutMs: 20_000 });
    // What was not settled came again.
    expect(seen.get(0)).toBeGreaterThan(1);
    expect(changes).toEqual([false, true]);
    expect(booted.logger.matching(/^rabbitmq is away: /)).toHaveLength(1);
    expect(booted.logger.matching(/^rabbitmq is back after \d+ ms$/)).toHaveLength(1);
  });

  it('what was declared is declared again where it went with the broker', async () => {
    await using booted = await bootLogged(RabbitmqModule.forRoot({ startup: 'require', url: server.url, ...hurried }));
    const client = booted.app.get(RabbitmqClient);
    const queue = uniqueName('transient');
    await client.topology({ queues: [{ name: queue, type: 'classic', durable: false }] });
    const got: string[] = [];
    await client.consume(queue, {}, message => {
      got.push(message.content.toString());
      message.ack();
    });
    await server.restart();
    await client.send(queue, { content: 'after', persistent: false }, { timeoutMs: 20_000 });
    await eventually(() => expect(got).toEqual(['after']));
  });

  it('a queue that is deleted under its consumer: told, and consumed again when it is back', async () => {
    await using booted = await bootLogged(RabbitmqModule.forRoot({ startup: 'require', url: server.url, ...hurried }));
    const client = booted.app.get(RabbitmqClient);
    const queue = uniqueName('deleted');
    const topology = { queues: [{ name: queue }] };
    await client.topology(topology);
    const got: string[] = [];
    const consumer = await client.consume(queue, {}, message => {
      got.push(message.content.toString());
      message.ack();
    });
    await client.withChannel(channel => channel.deleteQueue(queue));
    await eventually(() => expect(booted.logger.matching(/does not consume from .*There is no queue/)).toHaveLength(1));
    expect(consumer.isActive).toBe(false);
    await client.topology(topology);
    await eventually(() => expect(consumer.isActive).toBe(true));
    expect(booted.logger.matching(/does not consume from/)).toHaveLength(1);
    await client.send(queue, { content: 'again' });
    await eventually(() => expect(got).toEqual(['again']));
  });

  it('times out while the broker is away, and leaves when the app does', async () => {
    await using booted = await bootLogged(
      RabbitmqModule.forRoot({ startup: 'require', url: server.url, ...hurried, commandTimeoutMs: 200 }),
    );
    const client = booted.app.get(RabbitmqClient);
    await server.stop();
    await eventually(() => expect(client.isConnected).toBe(false));
    const late = await failure(client.send('q', { content: 'x' }, { timeoutMs: 150 }));
    expect(late).toMatchObject({ code: 'INFRA_RABBITMQ_TIMEOUT', retryable: true });
    expect(await failure(client.topology({ queues: [{ name: 'q' }] }))).toMatchObject({
      code: 'INFRA_RABBITMQ_UNAVAILABLE',
    });
    const abort = new AbortController();
    const waiting = failure(client.send('q', { content: 'x' }, { signal: abort.signal }));
    abort.abort(new Error('enough'));
    expect((await waiting).message).toBe('enough');
    const left = failure(client.send('q', { content: 'x' }));
    await booted.app.close();
    expect((await left).message).toMatch(/shut|closed|is away|drain/i);
    await server.start();
  });
});

describe('a network that fails', () => {
  const server = useRabbitmqServer();
  const proxy = useToxiproxy(() => server.url);

  it('resets under load: everything is confirmed and arrives', async () => {
    await using booted = await bootLogged(RabbitmqModule.forRoot({ startup: 'require', url: proxy.url, ...hurried }));
    const client = booted.app.get(RabbitmqClient);
    const queue = uniqueName('resets');
    await client.topology({ queues: [{ name: queue }] });
    const seen = new Set<number>();
    await client.consume(queue, {}, message => {
      seen.add(Number(message.content.toString()));
      message.ack();
    });
    const published: Promise<void>[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 200; n += 1) published.push(client.send(queue, { content: String(round * 200 + n) }));
      await proxy.resetPeer();
      await eventually(() => expect(client.isConnected).toBe(false));
      await proxy.heal();
      await eventually(() => expect(client.isConnected).toBe(true));
    }
    await Promise.all(published);
    await eventually(() => expect(seen.size).toBe(600));
  });

  it('a half-open connection is noticed by the heartbeat', async () => {
    await using booted = await bootLogged(
      RabbitmqModule.forRoot({ startup: 'require', url: proxy.url, ...hurried, heartbeatMs: 1_000 }),
    );
    const client = booted.app.get(RabbitmqClient);
    await proxy.halfOpen();
    await eventually(() => expect(client.isConnected).toBe(false), { timeoutMs: 10_000 });
    await proxy.heal();
    await eventually(() => expect(client.isConnected).toBe(true));
  });
});
