import { Connections, operations, type Operation } from '@core-infra/kernel';
import { RabbitmqClient, type RabbitmqMessage, RabbitmqModule } from '@core-infra/rabbitmq';
import { bootInfra, eventually, failure, uniqueName, useRabbitmq, useRabbitmqServer } from '@core-infra/testing';
import type { INestApplicationContext } from '@nestjs/common';

/** What the check says now. */
function checked(app: INestApplicationContext): Promise<Record<string, unknown>> {
  const [check] = app.get(Connections).checks();
  return check!.run() as Promise<Record<string, unknown>>;
}

describe('health', () => {
  const server = useRabbitmq();

  it('queues that are consumed or named, their depth, and its threshold', async () => {
    const [queue, other] = [uniqueName('deep'), uniqueName('named')];
    await using app = await bootInfra(
      RabbitmqModule.forRoot({ startup: 'require', url: server.url, health: { queues: [other], maxDepth: 2 } }),
    );
    const client = app.get(RabbitmqClient);
    expect(await failure(checked(app))).toMatchObject({ code: 'INFRA_RABBITMQ_MISSING', resource: other });
    await client.topology({ queues: [{ name: queue }, { name: other, type: 'classic' }] });
    const consumer = await client.consume(queue, { prefetch: 1 }, () => undefined);
    expect(await checked(app)).toEqual({
      version: expect.stringMatching(/^\d+\.\d+/) as string,
      vhost: '/',
      depths: { [queue]: 0, [other]: 0 },
      publisher: { pending: 0, exchanges: [] },
    });
    for (const content of ['a', 'b', 'c']) await client.send(other, { content });
    expect((await checked(app)).degraded).toBe(`${other} has 3 messages, more than health.maxDepth (2)`);
    await consumer.cancel();
  });

  it('exchanges that are published to are there and writable, and nothing is written to find out', async () => {
    const [exchange, queue] = [uniqueName('all'), uniqueName('everything')];
    await using app = await bootInfra(RabbitmqModule.forRoot({ url: server.url, exchange, startup: 'require' }));
    const client = app.get(RabbitmqClient);
    expect(await failure(checked(app))).toMatchObject({ code: 'INFRA_RABBITMQ_MISSING', resource: exchange });
    await client.topology({
      exchanges: [{ name: exchange, type: 'fanout' }],
      queues: [{ name: queue }],
      bindings: [{ exchange, queue }],
    });
    for (let times = 0; times < 3; times += 1)
      expect(await checked(app)).toMatchObject({ publisher: { pending: 0, exchanges: [exchange] } });
    expect(await client.depth(queue)).toEqual({ messages: 0, consumers: 0 });
    await client.publish({ content: 'x' });
    await eventually(async () => expect((await client.depth(queue)).messages).toBe(1));
    await client.withChannel(channel => channel.deleteExchange(exchange));
    expect(await failure(client.publish({ content: 'x' }))).toMatchObject({ code: 'INFRA_RABBITMQ_MISSING' });
    expect(await failure(checked(app))).toMatchObject({ code: 'INFRA_RABBITMQ_MISSING', resource: exchange });
  });

  it('every call is an operation, named by what it acts on and nothing else', async () => {
    await using app = await bootInfra(RabbitmqModule.forRoot({ startup: 'require', url: server.url }));
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('traced');
    const seen: Operation[] = [];
    const subscriber = { start: (operation: Operation) => void seen.push({ ...operation }) };
    operations('rabbitmq').subscribe(subscriber as never);
    try {
      await client.topology({ queues: [{ name: queue }] });
      await client.send(queue, { content: 'x' });
      await client.depth(queue);
    } finally {
      operations('rabbitmq').unsubscribe(subscriber as never);
    }
    const common = { component: 'rabbitmq', connection: 'rabbitmq' };
    expect(seen).toEqual([
      { ...common, operation: 'declare' },
      { ...common, operation: 'publish', resource: 'amq.default' },
      { ...common, operation: 'depth', resource: queue },
    ]);
  });

  it('the shutdown lets handlers end, with what they publish, before the connection goes', async () => {
    const app = await bootInfra(RabbitmqModule.forRoot({ startup: 'require', url: server.url }));
    const client = app.get(RabbitmqClient);
    const [queue, done] = [uniqueName('in'), uniqueName('out')];
    await client.topology({ queues: [{ name: queue }, { name: done }] });
    let begun: RabbitmqMessage | undefined;
    let finish!: () => void;
    const wait = new Promise<void>(resolve => (finish = resolve));
    await client.consume(queue, {}, async message => {
      begun = message;
      await wait;
      await client.send(done, { content: 'done' });
      message.ack();
    });
    await client.send(queue, { content: 'x' });
    await eventually(() => expect(begun).toBeDefined());
    const closing = app.close();
    finish();
    await closing;
    expect(client.isConnected).toBe(false);
    await using after = await bootInfra(RabbitmqModule.forRoot({ startup: 'require', url: server.url }));
    await eventually(async () => {
      expect((await after.get(RabbitmqClient).depth(queue)).messages).toBe(0);
      expect((await after.get(RabbitmqClient).depth(done)).messages).toBe(1);
    });
  });
});

describe('what the account may do', () => {
  const mine = useRabbitmqServer({
    users: [
      { name: 'writer', password: 'w', vhosts: { '/': { configure: '^own', write: '^own', read: '^own' } } },
      { name: 'reader', password: 'r', vhosts: { '/': { configure: '^$', write: '^$', read: '^own' } } },
    ],
  });

  it('to its own exchange and to no other, the default one included, is enough; to none is not', async () => {
    const boot = (user: string, password: string) =>
      bootInfra(
        RabbitmqModule.forRoot({ url: mine.urlFor(user, password), exchange: 'own-events', startup: 'require' }),
      );
    await using app = await boot('writer', 'w');
    const client = app.get(RabbitmqClient);
    await client.topology({ exchanges: [{ name: 'own-events' }], queues: [{ name: 'own-queue' }] });
    expect(await checked(app)).toMatchObject({ publisher: { exchanges: ['own-events'] } });
    await using other = await boot('reader', 'r');
    for (let times = 0; times < 2; times += 1)
      expect(await failure(checked(other))).toMatchObject({
        code: 'INFRA_RABBITMQ_PERMISSION',
        user: 'reader',
        resource: 'exchange own-events',
      });
    // Whoever publishes to queues by their names alone needs the default exchange, and is told when it may not.
    expect(await failure(client.send('own-queue', { content: 'x' }))).toMatchObject({
      code: 'INFRA_RABBITMQ_PERMISSION',
    });
    expect(await failure(checked(app))).toMatchObject({ code: 'INFRA_RABBITMQ_PERMISSION' });
  });
});

describe('an alarm of the broker', () => {
  const full = useRabbitmqServer({ config: ['vm_memory_high_watermark.absolute = 1MB'] });

  it('is degraded, and why messages take too long', async () => {
    await using app = await bootInfra(RabbitmqModule.forRoot({ startup: 'require', url: full.url }));
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('blocked');
    await client.topology({ queues: [{ name: queue }] });
    const late = await failure(client.send(queue, { content: 'x' }, { timeoutMs: 1_000 }));
    expect(late).toMatchObject({ code: 'INFRA_RABBITMQ_TIMEOUT' });
    expect(late.message).toMatch(/the broker takes no messages \(low on memory\)/);
    expect(client.blocked).toBe('low on memory');
    expect((await checked(app)).degraded).toBe('the broker takes no messages (low on memory)');
  });
});
