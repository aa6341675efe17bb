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
      RabbitmqModule.forRoot({ url: server.url, health: { queues: [other], maxDepth: 2 } }),
    );
    const client = app.get(RabbitmqClient);
    expect(await failure(checked(app))).toMatchObject({ code: 'INFRA_RABBITMQ_MISSING', resource: other });
    await client.topology({ queues: [{ name: queue }, { name: other, type: 'classic' }] });
    const consumer = await client.consume(queue, { prefetch: 1 }, () => undefined);
    expect(await checked(app)).toEqual({
      version: expect.stringMatching(/^\d+\.\d+/) as string,
      depths: { [queue]: 0, [other]: 0 },
      pending: 0,
    });
    for (const content of ['a', 'b', 'c']) await client.send(other, { content });
    expect((await checked(app)).degraded).toBe(`${other} has 3 messages, more than health.maxDepth (2)`);
    await consumer.cancel();
  });

  it('every call is an operation, named by what it acts on and nothing else', async () => {
    await using app = await bootInfra(RabbitmqModule.forRoot({ url: server.url }));
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
    const app = await bootInfra(RabbitmqModule.forRoot({ url: server.url }));
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
    await using after = await bootInfra(RabbitmqModule.forRoot({ url: server.url }));
    await eventually(async () => {
      expect((await after.get(RabbitmqClient).depth(queue)).messages).toBe(0);
      expect((await after.get(RabbitmqClient).depth(done)).messages).toBe(1);
    });
  });
});

describe('an alarm of the broker', () => {
  const full = useRabbitmqServer({ config: ['vm_memory_high_watermark.absolute = 1MB'] });

  it('is degraded, and why messages take too long', async () => {
    await using app = await bootInfra(RabbitmqModule.forRoot({ url: full.url }));
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
