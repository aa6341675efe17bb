import { RabbitmqClient, type RabbitmqConsumer, type RabbitmqMessage, RabbitmqModule } from '@core-infra/rabbitmq';
import { bootLogged, eventually, uniqueName, useRabbitmqServer } from '@core-infra/testing';

const server = useRabbitmqServer();
const boot = () =>
  bootLogged(
    RabbitmqModule.forRoot({ startup: 'require', url: server.url, retry: { firstDelayMs: 20, maxDelayMs: 100 } }),
  );
const numbers = (count: number) => Array.from({ length: count }, (_, at) => String(at));

async function filled(client: RabbitmqClient, count: number): Promise<string> {
  const name = uniqueName('given');
  // Without a limit the queue would put what comes back behind all others.
  await client.topology({ queues: [{ name, singleActiveConsumer: true, deliveryLimit: 2_147_483_647 }] });
  await Promise.all(numbers(count).map(content => client.send(name, { content })));
  return name;
}

describe('a consumer that leaves messages unsettled', () => {
  it('gives them back in their order, before the next consumer gets any', async () => {
    await using booted = await boot();
    const client = booted.app.get(RabbitmqClient);
    const queue = await filled(client, 300);
    const held: RabbitmqMessage[] = [];
    const first = await client.consume(queue, { prefetch: 100 }, message => void held.push(message));
    await eventually(() => expect(held).toHaveLength(100));
    const got: string[] = [];
    await client.consume(queue, { prefetch: 300 }, message => void got.push(message.content.toString()));
    await first.cancel();
    await eventually(() => expect(got).toHaveLength(300));
    expect(got).toEqual(numbers(300));
    expect(held[0]!.ack()).toBe('lost');
  });

  it('is told when they are lost with the connection', async () => {
    await using booted = await boot();
    const client = booted.app.get(RabbitmqClient);
    const queue = await filled(client, 3);
    const seen: string[] = [];
    await client.consume(queue, { onLost: () => void seen.push('lost') }, message =>
      seen.push(message.content.toString()),
    );
    await eventually(() => expect(seen).toEqual(['0', '1', '2']));
    await server.restart();
    await eventually(() => expect(seen).toEqual(['0', '1', '2', 'lost', '0', '1', '2']), { timeoutMs: 20_000 });
  });

  it('acknowledges many at once, whichever of them are done', async () => {
    await using booted = await boot();
    const client = booted.app.get(RabbitmqClient);
    const queue = await filled(client, 20);
    const held: RabbitmqMessage[] = [];
    const consumer: RabbitmqConsumer = await client.consume(
      queue,
      { prefetch: 20 },
      message => void held.push(message),
    );
    await eventually(() => expect(held).toHaveLength(20));
    const left = new Set([8, 12, 19]);
    held[10]!.ack();
    expect(consumer.ackAll(held.filter((_, at) => !left.has(at)))).toBe(16);
    expect(consumer.inFlight).toBe(3);
    expect(held[0]!.ack()).toBe('repeated');
    await consumer.cancel();
    const again: string[] = [];
    await client.consume(queue, { prefetch: 20 }, message => void again.push(message.content.toString()));
    await eventually(() => expect(again).toEqual(['8', '12', '19']));
    expect(consumer.ackAll(held)).toBe(0);
  });

  it('gives many up with one signal, and leaves nothing listening', async () => {
    await using booted = await boot();
    const client = booted.app.get(RabbitmqClient);
    const queue = await filled(client, 0);
    const abort = new AbortController();
    await Promise.all(numbers(50).map(content => client.send(queue, { content }, { signal: abort.signal })));
    await server.stop();
    await eventually(() => expect(client.isConnected).toBe(false));
    const waiting = numbers(20).map(content => client.send(queue, { content }, { signal: abort.signal }));
    abort.abort(new Error('enough'));
    const results = await Promise.allSettled(waiting);
    expect(new Set(results.map(result => (result as PromiseRejectedResult).reason.message))).toEqual(
      new Set(['enough']),
    );
    await server.start();
  });
});
