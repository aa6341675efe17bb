import { usePostgres } from '@core-infra/testing';
import { brokers, environment } from './support/brokers.js';
import { concluded, customerOf, startApp } from './support/shop.js';

describe.each(Object.keys(brokers))('orders-api and orders-worker, each a process of its own, over %s', name => {
  const postgres = usePostgres();
  const { use, apart } = brokers[name]!;
  const [broker, own] = [use(), apart()];
  const env = () => ({ ...environment(postgres.url), ...own, ...broker() });
  const rounds = name === 'PostgreSQL alone' ? 3 : 1;

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
