import { Injectable, Module } from '@nestjs/common';
import {
  AmqpConnection,
  InjectRabbitmq,
  RabbitmqClient,
  type RabbitmqMessage,
  RabbitmqModule,
} from '@core-infra/rabbitmq';
import { bootInfra, eventually, failure, uniqueName, useRabbitmq } from '@core-infra/testing';

describe('RabbitmqModule', () => {
  const server = useRabbitmq();
  const boot = (options = {}) => bootInfra(RabbitmqModule.forRoot({ startup: 'require', url: server.url, ...options }));

  it('declares, publishes and consumes: an exchange, a quorum queue, its binding, headers and properties', async () => {
    await using app = await boot();
    const client = app.get(RabbitmqClient);
    const [exchange, queue] = [uniqueName('events'), uniqueName('orders')];
    await client.topology({
      exchanges: [{ name: exchange }],
      queues: [{ name: queue }],
      bindings: [{ exchange, queue, routingKey: 'orders.*' }],
    });
    const got: RabbitmqMessage[] = [];
    const consumer = await client.consume(queue, { prefetch: 10 }, message => got.push(message));
    await client.publish({
      exchange,
      routingKey: 'orders.placed',
      content: '{"id":1}',
      contentType: 'application/json',
      headers: { tenant: 'a' },
      messageId: 'm-1',
      timestampMs: 1_700_000_000_000,
    });
    await eventually(() => expect(got).toHaveLength(1));
    const [message] = got;
    expect(message!.content.toString()).toBe('{"id":1}');
    expect(message!.properties).toMatchObject({
      contentType: 'application/json',
      messageId: 'm-1',
      deliveryMode: 2,
      timestamp: 1_700_000_000,
    });
    expect(message!.headers.tenant).toBe('a');
    expect([message!.exchange, message!.routingKey, message!.redelivered]).toEqual([exchange, 'orders.placed', false]);
    expect(consumer.inFlight).toBe(1);
    expect(message!.ack()).toBe('done');
    expect(message!.ack()).toBe('repeated');
    expect(consumer.inFlight).toBe(0);
    await consumer.cancel();
    await eventually(async () => expect(await client.depth(queue)).toEqual({ messages: 0, consumers: 0 }));
  });

  it('the configured exchange and queue prefix', async () => {
    const exchange = uniqueName('own');
    await using app = await boot({ exchange, queuePrefix: 'team-a.' });
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('q');
    expect(client.queueName(queue)).toBe(`team-a.${queue}`);
    await client.topology({
      exchanges: [{ name: exchange, type: 'direct' }],
      queues: [{ name: queue }],
      bindings: [{ exchange, queue, routingKey: 'k' }],
    });
    await client.publish({ routingKey: 'k', content: 'by the exchange' });
    await client.send(queue, { content: 'straight' });
    await eventually(async () => expect(await client.depth(queue)).toEqual({ messages: 2, consumers: 0 }));
    const raw = await client.withChannel(channel => channel.checkQueue(`team-a.${queue}`));
    expect(raw.messageCount).toBe(2);
  });

  it('nack brings it back, counted; reject, and the delivery limit, take it to the dead letters', async () => {
    await using app = await boot({ queuePrefix: 'dl.' });
    const client = app.get(RabbitmqClient);
    const [queue, dead] = [uniqueName('work'), uniqueName('dead')];
    await client.topology({
      queues: [{ name: dead }, { name: queue, deliveryLimit: 2, deadLetters: { queue: dead } }],
    });
    const counts: number[] = [];
    const consumer = await client.consume(queue, {}, message => {
      if (message.content.toString() === 'no') return message.reject();
      counts.push(message.deliveryCount);
      return message.nack();
    });
    await client.send(queue, { content: 'no' });
    await client.send(queue, { content: 'again' });
    const reasons: unknown[] = [];
    await client.consume(dead, {}, message => {
      reasons.push((message.headers['x-death'] as { reason: string }[])[0]!.reason);
      message.ack();
    });
    await eventually(() => expect(new Set(reasons)).toEqual(new Set(['delivery_limit', 'rejected'])));
    expect(counts).toEqual([0, 1, 2]);
    await consumer.cancel();
  });

  it('a handler that throws sends the message back, or to the dead letters', async () => {
    await using app = await boot();
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('throws');
    await client.topology({ queues: [{ name: queue }] });
    let calls = 0;
    await client.consume(queue, {}, async message => {
      calls += 1;
      await Promise.resolve();
      if (calls < 3) throw new Error('not yet');
      message.ack();
    });
    await client.send(queue, { content: 'x' });
    await eventually(() => expect(calls).toBe(3));
    const rejecting = uniqueName('rejects');
    await client.topology({ queues: [{ name: rejecting }] });
    let seen = 0;
    await client.consume(rejecting, { onFailure: 'reject' }, () => {
      seen += 1;
      throw new Error('never');
    });
    await client.send(rejecting, { content: 'x' });
    await eventually(async () => {
      expect(seen).toBe(1);
      expect((await client.depth(rejecting)).messages).toBe(0);
    });
  });

  it('pause and resume; the prefetch bounds what is unsettled; drain waits for it', async () => {
    await using app = await boot({ prefetch: 3 });
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('paused');
    await client.topology({ queues: [{ name: queue }] });
    const held: RabbitmqMessage[] = [];
    const consumer = await client.consume(queue, {}, message => held.push(message));
    await Promise.all(Array.from({ length: 10 }, (_, i) => client.send(queue, { content: String(i) })));
    await eventually(() => expect(consumer.inFlight).toBe(3));
    expect((await client.depth(queue)).messages).toBe(7);
    await consumer.pause();
    expect(consumer.isActive).toBe(false);
    for (const message of held.splice(0)) expect(message.ack()).toBe('done');
    // A quorum queue counts a moment later.
    await eventually(async () => expect(await client.depth(queue)).toEqual({ messages: 7, consumers: 0 }));
    await consumer.resume();
    await eventually(() => expect(held).toHaveLength(3));
    let drained = false;
    const draining = consumer.drain().then(() => (drained = true));
    await eventually(() => expect(consumer.isActive).toBe(false));
    expect(await client.depth(queue)).toMatchObject({ messages: 4 });
    expect([drained, consumer.inFlight]).toEqual([false, 3]);
    for (const message of held.splice(0)) message.ack();
    await draining;
    await eventually(async () => expect((await client.depth(queue)).messages).toBe(4));
  });

  it('a shutdown leaves a consumer that ends itself to whoever has it', async () => {
    const app = await boot();
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('own');
    await client.topology({ queues: [{ name: queue }] });
    await client.send(queue, { content: 'x' });
    const consumer = await client.consume(queue, { endsItself: true }, () => undefined);
    await eventually(() => expect(consumer.inFlight).toBe(1));
    const begun = performance.now();
    await app.close();
    // It would wait ten seconds for the message to be settled.
    expect(performance.now() - begun).toBeLessThan(8_000);
  });

  it('many at once, each with its own answer: the one that reaches no queue is an error, the others are not', async () => {
    await using app = await boot({ maxInFlight: 100 });
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('many');
    await client.topology({ queues: [{ name: queue, type: 'classic' }] });
    const results = await Promise.allSettled(
      Array.from({ length: 2_000 }, (_, i) =>
        client.publish({ routingKey: i % 100 === 7 ? `${queue}-nowhere` : queue, content: String(i) }),
      ),
    );
    const failed = results.flatMap((result, i) => (result.status === 'rejected' ? [[i, result.reason] as const] : []));
    expect(failed.map(([i]) => i)).toEqual(Array.from({ length: 20 }, (_, i) => i * 100 + 7));
    expect(failed[0]![1]).toMatchObject({ code: 'INFRA_RABBITMQ_UNROUTABLE' });
    expect(String(failed[0]![1])).toMatch(/There is no queue|there is no queue many.*-nowhere/);
    expect((await client.depth(queue)).messages).toBe(1_980);
    await client.publish({ routingKey: `${queue}-nowhere`, content: 'x', mandatory: false });
  });

  it('an exchange that is not there fails those messages alone, though the broker closes the channel', async () => {
    await using app = await boot();
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('beside');
    await client.topology({ queues: [{ name: queue, type: 'classic' }] });
    const results = await Promise.allSettled(
      Array.from({ length: 300 }, (_, i) =>
        i === 150 ? client.publish({ exchange: 'no-such', content: 'x' }) : client.send(queue, { content: String(i) }),
      ),
    );
    const failed = results.flatMap((result, i) => (result.status === 'rejected' ? [[i, result.reason] as const] : []));
    expect(failed).toEqual([[150, expect.objectContaining({ code: 'INFRA_RABBITMQ_MISSING', resource: 'no-such' })]]);
    expect((await client.depth(queue)).messages).toBeGreaterThanOrEqual(299);
  });

  it('a queue that is full refuses, and says so', async () => {
    await using app = await boot();
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('full');
    await client.topology({ queues: [{ name: queue, type: 'classic', maxLength: 1, overflow: 'reject-publish' }] });
    await client.send(queue, { content: 'a' });
    expect(await failure(client.send(queue, { content: 'b' }))).toMatchObject({
      code: 'INFRA_RABBITMQ_REFUSED',
      retryable: true,
    });
  });

  it('the same topology twice is nothing; another one names the argument that differs', async () => {
    await using app = await boot();
    const client = app.get(RabbitmqClient);
    const [queue, exchange] = [uniqueName('same'), uniqueName('ex')];
    const topology = { queues: [{ name: queue, messageTtlMs: 60_000 }], exchanges: [{ name: exchange }] };
    await client.topology(topology);
    await client.topology(topology);
    expect(await failure(client.topology({ queues: [{ name: queue, messageTtlMs: 5_000 }] }))).toMatchObject({
      code: 'INFRA_RABBITMQ_TOPOLOGY',
      kind: 'queue',
      resource: queue,
      argument: 'x-message-ttl',
      declared: '5000',
      existing: '60000',
    });
    const other = await failure(client.topology({ exchanges: [{ name: exchange, type: 'fanout' }] }));
    expect(other.message).toMatch(
      `The exchange ${exchange} exists with another type: it has topic, and fanout is declared. Declare it as it is`,
    );
  });

  it('a signal that aborts gives up; a queue that is not there cannot be consumed or counted', async () => {
    await using app = await boot();
    const client = app.get(RabbitmqClient);
    const reason = new Error('enough');
    await expect(client.send('x', { content: 'a' }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const missing = { code: 'INFRA_RABBITMQ_MISSING', kind: 'queue', resource: 'no-such' };
    expect(await failure(client.consume('no-such', {}, () => undefined))).toMatchObject(missing);
    expect(await failure(client.depth('no-such'))).toMatchObject(missing);
    await client.withChannel(async channel =>
      expect((await channel.assertQueue('', { exclusive: true })).queue).toBeTruthy(),
    );
  });

  it('injects named connections, and amqplib’s own', async () => {
    @Injectable()
    class Uses {
      constructor(
        readonly plain: RabbitmqClient,
        @InjectRabbitmq('audit') readonly audit: RabbitmqClient,
        readonly raw: AmqpConnection,
      ) {}
    }
    @Module({ providers: [Uses], exports: [Uses] })
    class UsesModule {}
    await using app = await bootInfra(
      RabbitmqModule.forRoot({ startup: 'require', url: server.url }),
      RabbitmqModule.forRoot({ name: 'audit', url: server.url, queuePrefix: 'audit.' }),
      UsesModule,
    );
    const { plain, audit, raw } = app.get(Uses);
    expect([plain.queueName('q'), audit.queueName('q')]).toEqual(['q', 'audit.q']);
    const channel = await raw.current.createChannel();
    expect((await channel.assertQueue('', { exclusive: true })).messageCount).toBe(0);
  });
});
