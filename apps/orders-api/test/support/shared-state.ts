import { DataSource } from '@core-infra/database';
import { FeatureFlags, overrideFlags } from '@core-infra/feature-flags';
import { type OrdersApi, soon } from './orders-api.js';

/** What holds wherever the sample keeps what its processes share: in each of them, or in a Redis. */
export function sharesItsState(api: OrdersApi): void {
  const guess = (email: string, password: string) => api.send('POST', '/sessions', { email, password });

  it('answers an order from the cache, and what it has become once it is changed', async () => {
    const [user, tea] = [await api.user(), await api.product()];
    const { id } = (await api.order(user, [tea, 1])).body;
    const order = await api.concluded(id);
    expect((await api.get(`/orders/${order.id}`)).body).toEqual(order);
    const rows = api.app.get(DataSource);
    await rows.query(`update orders set total_amount = 1 where id = $1`, [order.id]);
    expect((await api.get(`/orders/${order.id}`)).body).toEqual(order);
    await api.send('POST', `/orders/${order.id}/cancel`);
    expect((await api.get(`/orders/${order.id}`)).body).toMatchObject({ status: 'cancelled', total: { amount: 1 } });
  });

  it('answers products and lists from the cache, and the stock as the last order left it', async () => {
    const [user, tea] = [await api.user(), await api.product({ stock: 9 })];
    const list = `/products?filter[sku]=${tea.sku}`;
    const stocks = async () => [
      (await api.get(`/products/${tea.id}`)).body.stock,
      (await api.get(list)).body.items[0].stock,
    ];
    expect(await stocks()).toEqual([9, 9]);
    await api.app.get(DataSource).query(`update products set name = 'Renamed' where id = $1`, [tea.id]);
    expect((await api.get(`/products/${tea.id}`)).body.name).toBe(tea.name);
    await api.order(user, [tea, 4]);
    await soon(async () => expect(await stocks()).toEqual([5, 5]));
    expect((await api.get(`/products/${tea.id}`)).body.name).toBe('Renamed');
  });

  it('opens a session for the right password, and ends it', async () => {
    const user = await api.user();
    const { status, body } = await guess(user.email.toUpperCase(), 'correct horse');
    expect([status, body]).toEqual([201, { token: expect.stringMatching(/^[\w-]{43}$/), user }]);
    const headers = { Authorization: `Bearer ${body.token}` };
    expect(await api.get('/sessions/current', headers)).toMatchObject({ status: 200, body: user });
    expect((await api.send('DELETE', '/sessions/current', undefined, headers)).status).toBe(204);
    expect(await api.get('/sessions/current', headers)).toMatchObject({
      status: 401,
      body: { error_code: 'NO_SESSION' },
    });
    expect((await api.get('/sessions/current')).status).toBe(401);
  });

  it('lets nobody guess the password of an account more than five times at once, and leaves other accounts alone', async () => {
    const [user, other] = [await api.user(), await api.user()];
    for (let attempt = 0; attempt < 5; attempt += 1)
      expect(await guess(user.email, 'wrong horse')).toMatchObject({
        status: 401,
        body: { error_code: 'WRONG_CREDENTIALS' },
      });
    const refused = await guess(user.email, 'correct horse');
    expect(refused).toMatchObject({ status: 429, body: { success: false, error_code: 'RATE_LIMITED' } });
    expect(refused.headers.get('ratelimit-policy')).toContain('"login-account";q=5;w=60');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await guess(other.email, 'correct horse')).status).toBe(201);
  });

  it('lets a user place sixty orders at once, then one each second, and leaves other users alone', async () => {
    const [user, other] = [await api.user(), await api.user()];
    const place = (userId: string) => api.send('POST', '/orders', { user_id: userId.toUpperCase(), lines: [] });
    const answers = await Promise.all(Array.from({ length: 90 }, () => place(user.id)));
    const refused = answers.filter(({ status }) => status === 429);
    const passed = answers.filter(({ status }) => status === 422);
    expect([refused.length + passed.length, refused.length > 0, passed.length >= 60]).toEqual([90, true, true]);
    expect(refused[0]!.body).toMatchObject({ error_code: 'RATE_LIMITED', details: { limit: 'place-order' } });
    expect((await place(other.id)).status).toBe(422);
  });

  it('takes a tenth off for the users that the discount is rolled out to, and for nobody else', async () => {
    const tea = await api.product({ price: { amount: 1_005, currency: 'EUR' } });
    const [user, other] = [await api.user(), await api.user()];
    const takeBack = overrideFlags(api.app.get(FeatureFlags), { 'launch-discount': { rollout: 0, users: [user.id] } });
    try {
      const { body: order } = await api.order(user, [tea, 3]);
      expect([order.discount.amount, order.total.amount]).toEqual([301, 2_714]);
      const { body: whole } = await api.order(other, [tea, 3]);
      expect([whole.discount.amount, whole.total.amount]).toEqual([0, 3_015]);
    } finally {
      takeBack();
    }
  });
}
