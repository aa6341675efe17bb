import { uniqueName, useNats } from '@core-infra/testing';
import { withNats } from '../../src/nats/nats.admin.js';

describe('useNats', () => {
  const first = useNats();
  const second = useNats();

  it('is one server with JetStream for all who ask in a run', async () => {
    const idOf = (url: string) => withNats(url, connection => Promise.resolve(connection.info));
    const [one, other] = await Promise.all([idOf(first.url), idOf(second.url)]);
    expect(one?.server_id).toBe(other?.server_id);
    expect(one?.jetstream).toBe(true);
  });

  it('carries requests', async () => {
    const subject = uniqueName('echo');
    await withNats(first.url, async connection => {
      connection.subscribe(subject, { callback: (_, message) => void message.respond(message.data) });
      expect((await connection.request(subject, 'said')).string()).toBe('said');
    });
  });

  it('says what is needed to reach it, and lets nobody in without the password', async () => {
    const { host, port, user, password } = first;
    expect(`nats://${user}:${password}@${host}:${port}`).toBe(first.url);
    await expect(withNats(`nats://${host}:${port}`, () => Promise.resolve())).rejects.toThrow(/authorization/i);
  });
});
