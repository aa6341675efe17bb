import { eventually, usePostgres } from '@core-infra/testing';
import { brokers, environment } from './support/brokers.js';
import { concluded, customerOf, startApp } from './support/shop.js';

describe.each(Object.keys(brokers))('orders-worker that was never there, over %s', name => {
  const postgres = usePostgres();
  const { use, apart } = brokers[name]!;
  const [broker, own] = [use(), apart()];
  const env = () => ({ ...environment(postgres.url), ...own, ...broker() });

  it('finds at its first boot what was ordered and cancelled before, and nothing is lost on the way back either', async () => {
    const api = await startApp('orders-api', env());
    const { user, product } = await customerOf(api, 100);
    const place = async (): Promise<string> => {
      const lines = [{ product_id: product.id, quantity: 1 }];
      const { status, body } = await api.send('POST', '/orders', { user_id: user.id, lines });
      expect(status).toBe(201);
      return body.id;
    };
    const [cancelled, ...ids] = [await place(), await place(), await place()];
    expect((await api.send('POST', `/orders/${cancelled}/cancel`)).status).toBe(200);
    const worker = await startApp('orders-worker', env());
    const orders = await concluded(api, ids);
    expect(orders.map(({ status }) => status)).toEqual(['paid', 'paid']);
    for (const id of ids)
      expect(await worker.get(`/fake-payments/charges?reference=${id}`)).toMatchObject({ total: 1 });
    await eventually(
      async () => {
        const { items } = await worker.get(`/fake-payments/charges?reference=${cancelled}`);
        expect(items.filter(({ refunded }: any) => !refunded)).toEqual([]);
        expect((await api.get(`/products/${product.id}`)).stock).toBe(98);
      },
      { timeoutMs: 60_000, intervalMs: 250 },
    );
    for (const app of [api, worker]) app.child.kill();
    for (const app of [api, worker]) expect(await app.child.exit).toEqual({ code: 0, signal: null });
  }, 180_000);
});
