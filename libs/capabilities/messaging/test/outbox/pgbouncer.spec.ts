import { eventually, usePgbouncer, usePostgres } from '@core-infra/testing';
import { bootRelay, messagesOf } from './support/boot-relay.js';

const postgres = usePostgres();

describe('an outbox through PgBouncer in transaction mode', () => {
  const bouncer = usePgbouncer(() => postgres.url);

  it('is relayed by polling, shared by two, in order per key', async () => {
    const took: string[] = [];
    const publish = async (messages: readonly { key?: string; body: Buffer }[]) => {
      await new Promise(resolve => setTimeout(resolve, 2));
      took.push(...messages.map(({ key, body }) => `${key} ${body.toString()}`));
      return messages.map(() => undefined);
    };
    // The migration needs a session: it goes to the server's own address.
    await (await bootRelay(postgres.url, publish)).app.close();
    const url = new URL(bouncer.url);
    url.pathname = new URL(postgres.url).pathname;
    const options = { listen: false, pollMs: 50, batchSize: 100 };
    await using stack = new AsyncDisposableStack();
    const one = stack.use(await bootRelay(url.href, publish, options));
    const two = stack.use(await bootRelay(url.href, publish, options));
    one.relay.start();
    two.relay.start();
    for (let round = 0; round < 5; round += 1) await one.outbox.write(messagesOf(400, 10));
    await eventually(() => expect(took).toHaveLength(2_000));
    for (let key = 0; key < 10; key += 1) {
      const own = took.filter(text => text.startsWith(`key-${key} `)).map(text => Number(text.split(' ')[1]));
      const expected = Array.from({ length: 200 }, (_, at) => (at % 40) * 10 + key);
      expect(own).toEqual(expected);
    }
    await eventually(async () => expect(await one.dataSource.query('SELECT 1 FROM messaging_outbox')).toEqual([]));
  });
});
