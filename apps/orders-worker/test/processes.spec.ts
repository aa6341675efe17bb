import { uniqueName, useKafka, useNats, usePostgres, useRabbitmq } from '@core-infra/testing';
import { concluded, customerOf, startApp } from './support/shop.js';

/** What every process of this file gets; the provider is quick, and lets a third of the calls fail. */
const environment = (dsn: string) => ({
  POSTGRES_DSN: dsn,
  MESSAGING_DRIVER: undefined,
  PAYMENTS_FAKE_ENABLED: 'true',
  PAYMENTS_FAKE_FAILING: '0.3',
  PAYMENTS_FAKE_DELAY_MS: '20',
  MESSAGING_RETRY_FIRST_DELAY_MS: '20',
});

/** How a broker is told to the apps; its server is there for the block that calls it. */
const brokers: readonly [name: string, use: () => () => Record<string, string>, rounds: number][] = [
  ['PostgreSQL alone', () => () => ({}), 3],
  [
    'Kafka',
    () => {
      const kafka = useKafka();
      return () => ({ KAFKA_BROKERS: kafka.brokers.join(',') });
    },
    1,
  ],
  [
    'RabbitMQ',
    () => {
      const rabbitmq = useRabbitmq();
      return () => ({ RABBITMQ_URL: rabbitmq.url });
    },
    1,
  ],
  [
    'NATS',
    () => {
      const nats = useNats();
      return () => ({ NATS_URL: nats.url });
    },
    1,
  ],
];

/** The broker is shared with other spec files, and topics are named after types. */
function topics(): Record<string, string> {
  const types = ['orders.placed', 'orders.paid', 'orders.rejected', 'orders.cancelled', 'stock.changed'];
  const prefix = uniqueName('shop');
  return {
    MESSAGING_TOPICS: JSON.stringify(Object.fromEntries(types.map(type => [type, { topic: `${prefix}.${type}` }]))),
  };
}

describe.each(brokers)('orders-api and orders-worker, each a process of its own, over %s', (_name, use, rounds) => {
  const postgres = usePostgres();
  const broker = use();
  const ownTopics = topics();
  const env = () => ({ ...environment(postgres.url), ...ownTopics, ...broker() });

  it('boot at once on an empty database, and lose no order and charge none twice when the worker is killed again and again', async () => {
    const [api, first] = await Promise.all([startApp('orders-api', env()), startApp('orders-worker', env())]);
    const { user, product } = await customerOf(api, 1_000);
    const ids: string[] = [];
    const place = async (): Promise<void> => {
      const lines = [{ product_id: product.id, quantity: 1 }];
      const { status, body } = await api.send('POST', '/orders', { user_id: user.id, lines });
      expect(status).toBe(201);
      ids.push(body.id);
    };
    let worker = first;
    for (let round = 0; round < rounds; round += 1) {
      await Promise.all(Array.from({ length: 8 }, place));
      worker.child.kill('SIGKILL');
      expect(await worker.child.exit).toEqual({ code: null, signal: 'SIGKILL' });
      await place();
      worker = await startApp('orders-worker', env());
    }
    const orders = await concluded(api, ids);
    expect(orders.map(({ status }) => status)).toEqual(ids.map(() => 'paid'));
    for (const id of ids)
      expect(await worker.get(`/fake-payments/charges?reference=${id}`)).toMatchObject({
        total: 1,
        items: [{ amount: 250, refunded: false }],
      });
    expect((await worker.send('GET', '//health/ready')).status).toBe(200);
    expect((await api.get(`/products?filter[sku]=TEA-1&filter[stock]=${1_000 - ids.length}`)).total).toBe(1);
    for (const app of [api, worker]) app.child.kill();
    for (const app of [api, worker]) expect(await app.child.exit).toEqual({ code: 0, signal: null });
  }, 180_000);
});
