import type { Duplex } from 'node:stream';
import { AmqpConnection, RabbitmqClient, type RabbitmqMessage, RabbitmqModule } from '@core-infra/rabbitmq';
import { bootInfra, eventually, uniqueName, useRabbitmq } from '@core-infra/testing';
import type { ConfirmChannel } from 'amqplib';
import { Outgoing, publishOn } from '../src/publish/under-way.js';

const numbers = Array.from({ length: 100 }, (_, n) => n);

/** Counts what the socket is given at once. */
function countWrites(connection: AmqpConnection): () => number {
  const { stream } = connection.current.connection as unknown as { readonly stream: Duplex };
  const write = jest.spyOn(stream, '_write');
  const writev = jest.spyOn(stream, '_writev' as '_write');
  return () => write.mock.calls.length + writev.mock.calls.length;
}

describe('What goes over the wire', () => {
  const server = useRabbitmq();
  const boot = () => bootInfra(RabbitmqModule.forRoot({ startup: 'require', url: server.url }));

  it('messages of one turn of the event loop go out together, and so does what settles them', async () => {
    await using app = await boot();
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('q');
    await client.topology({ queues: [{ name: queue }] });
    const countPublished = countWrites(app.get(AmqpConnection));
    await Promise.all(numbers.map(n => client.send(queue, { content: String(n) })));
    expect(countPublished()).toBeLessThan(10);
    const got: RabbitmqMessage[] = [];
    await client.consume(queue, { prefetch: 200 }, message => got.push(message));
    await eventually(() => expect(got).toHaveLength(100));
    expect(got.map(({ content }) => Number(content))).toEqual(numbers);
    const countSettled = countWrites(app.get(AmqpConnection));
    const before = countSettled();
    for (const message of got) expect(message.ack()).toBe('done');
    await eventually(() => expect(countSettled()).toBeGreaterThan(before));
    await client.depth(queue);
    // With the channel that the depth is asked for on.
    expect(countSettled() - before).toBeLessThan(10);
  });

  it('is what amqplib’s own publish would send', async () => {
    await using app = await boot();
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('q');
    await client.topology({ queues: [{ name: queue }] });
    const given = { contentEncoding: 'gzip', correlationId: 'c', replyTo: 'r', type: 't', appId: 'a', priority: 3 };
    const headers = { tenant: 'ä', count: 7, nested: { list: [1, 'two'] } };
    const content = Buffer.from('x');
    await client.send(queue, { ...given, content, headers, messageId: 'm', timestampMs: 5_000, expirationMs: 60_000 });
    await client.send(queue, { content, messageId: 'n', persistent: false });
    const channel = await app.get(AmqpConnection).current.createConfirmChannel();
    const options = { ...given, headers, messageId: 'm', timestamp: 5, expiration: '60000', persistent: true };
    channel.sendToQueue(queue, content, options);
    channel.sendToQueue(queue, content, { messageId: 'n', persistent: false });
    await channel.waitForConfirms();
    const got = await Promise.all(numbers.slice(0, 4).map(() => channel.get(queue, { noAck: true })));
    const [ours, oursBare, theirs, theirsBare] = got.map(message => message && message.properties);
    expect(ours).toMatchObject({
      ...given,
      headers,
      messageId: 'm',
      timestamp: 5,
      expiration: '60000',
      deliveryMode: 2,
    });
    expect([ours, oursBare]).toEqual([theirs, theirsBare]);
    await channel.close();
  });

  it('an amqplib that has not what is not documented of it is asked in the documented way', () => {
    const publish = jest.fn(() => true);
    const terms = { deadline: 0, timeoutMs: 1, waits: true, signal: undefined };
    const message = { routingKey: 'k', content: 'x', messageId: 'm', headers: { tenant: 'a' } };
    const outgoing = new Outgoing(message, 'events', terms, jest.fn(), jest.fn());
    const confirmed = jest.fn();
    expect(publishOn({ publish } as unknown as ConfirmChannel, outgoing, confirmed)).toBe(true);
    const options = expect.objectContaining({
      mandatory: true,
      deliveryMode: 2,
      headers: { tenant: 'a' },
      messageId: 'm',
    });
    expect(publish).toHaveBeenCalledWith('events', 'k', Buffer.from('x'), options, confirmed);
  });
});
