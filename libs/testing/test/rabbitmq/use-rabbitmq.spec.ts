import { uniqueName, useRabbitmq } from '@core-infra/testing';
import { withRabbitmq } from '../../src/rabbitmq/rabbitmq.admin.js';

describe('useRabbitmq', () => {
  const first = useRabbitmq();
  const second = useRabbitmq();

  it('is one server for all who ask in a run', async () => {
    const queue = uniqueName('shared');
    await withRabbitmq(first.url, async connection => {
      const channel = await connection.createChannel();
      await channel.assertQueue(queue, { durable: true });
    });
    await withRabbitmq(second.url, async connection => {
      const channel = await connection.createChannel();
      expect((await channel.checkQueue(queue)).queue).toBe(queue);
      await channel.deleteQueue(queue);
    });
  });

  it('says what is needed to reach it, and lets nobody in without the password', async () => {
    const { host, port, user, password, vhost } = first;
    expect(`amqp://${user}:${password}@${host}:${port}`).toBe(first.url);
    expect(vhost).toBe('/');
    await expect(withRabbitmq(`amqp://${host}:${port}`, () => Promise.resolve())).rejects.toThrow('ACCESS_REFUSED');
  });
});
