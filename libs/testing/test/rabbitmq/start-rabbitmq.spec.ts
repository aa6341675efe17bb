import { startRabbitmq, uniqueName, useRabbitmqServer } from '@core-infra/testing';
import { withRabbitmq } from '../../src/rabbitmq/rabbitmq.admin.js';

const ping = (url: string, tls?: { ca: string; cert?: string; key?: string }) =>
  withRabbitmq(url, () => Promise.resolve('in'), tls);
const durable = { durable: true, arguments: { 'x-queue-type': 'quorum' } };

describe('useRabbitmqServer', () => {
  const server = useRabbitmqServer({
    vhosts: ['orders'],
    users: [{ name: 'reader', password: 'r/d', vhosts: { orders: { configure: '^$', write: '^$' } } }],
  });

  it('knows virtual hosts and accounts, with what they may do', async () => {
    await withRabbitmq(server.urlFor(server.user, server.password, 'orders'), async connection => {
      const channel = await connection.createChannel();
      await channel.assertQueue('open', durable);
    });
    await withRabbitmq(server.urlFor('reader', 'r/d', 'orders'), async connection => {
      const channel = await connection.createChannel();
      channel.on('error', () => undefined);
      expect((await channel.checkQueue('open')).messageCount).toBe(0);
      await expect(channel.assertQueue('closed', durable)).rejects.toThrow('ACCESS_REFUSED');
    });
    await expect(ping(server.urlFor('reader', 'r/d'))).rejects.toThrow();
    await expect(ping(server.urlFor('reader', 'wrong', 'orders'))).rejects.toThrow('ACCESS_REFUSED');
  });

  it('crashes and comes back at the same address, with its queues and messages', async () => {
    const queue = uniqueName('kept');
    await withRabbitmq(server.url, async connection => {
      const channel = await connection.createConfirmChannel();
      await channel.assertQueue(queue, durable);
      channel.sendToQueue(queue, Buffer.from('kept'), { persistent: true });
      await channel.waitForConfirms();
    });
    await server.settled();
    await server.kill();
    await expect(ping(server.url)).rejects.toThrow('ECONNREFUSED');
    await server.start();
    await withRabbitmq(server.url, async connection => {
      const message = await (await connection.createChannel()).get(queue, { noAck: true });
      expect(message && message.content.toString()).toBe('kept');
    });
    await server.restart();
    expect(await ping(server.url)).toBe('in');
  });

  it('speaks TLS only, if told so, demands a certificate of the client, and leaves nothing', async () => {
    const server = await startRabbitmq({ tls: { clientCertificate: 'required' } });
    expect(server.url).toMatch(/^amqps:/);
    const { ca, cert, key } = server.tls!;
    expect(await ping(server.url, { ca, cert, key })).toBe('in');
    await expect(ping(server.url, { ca })).rejects.toThrow();
    await expect(ping(server.url)).rejects.toThrow(/self-signed|unable to verify/);
    await server.dispose();
    await expect(ping(server.url, { ca, cert, key })).rejects.toThrow('ECONNREFUSED');
  });
});
