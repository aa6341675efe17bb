import { eventually, uniqueName, useRedisServer } from '@core-infra/testing';
import { soon, useOrdersApi } from './support/orders-api.js';
import { sharesItsState } from './support/shared-state.js';

/** What goes on by itself without Redis, and what does not go on. */
const notUp = Object.fromEntries(
  ['redis', 'cache', 'rate-limit', 'feature-flags', 'sessions'].map(check => [
    check,
    { status: expect.stringMatching(/^(degraded|down)$/) },
  ]),
);

describe('with a Redis', () => {
  const redis = useRedisServer();
  const api = useOrdersApi(() => ({
    REDIS_URL: redis.url,
    REDIS_NAMESPACE: `${uniqueName('orders-api')}:`,
    LOG_LEVEL: 'fatal',
  }));

  beforeAll(() => eventually(async () => expect((await api.get('//health/redis')).body.status).toBe('ok')));

  sharesItsState(api);

  it('goes on when Redis is killed: every request is answered, and what changed meanwhile is what is read afterwards', async () => {
    const [user, tea] = [await api.user(), await api.product({ stock: 9 })];
    const stock = async () => (await api.get(`/products/${tea.id}`)).body.stock;
    expect(await stock()).toBe(9);
    await redis.kill();
    expect((await api.order(user, [tea, 2])).status).toBe(201);
    await soon(async () => expect(await stock()).toBe(7));
    expect((await api.send('POST', '/sessions', { email: user.email, password: 'correct horse' })).status).toBe(503);
    expect(await api.get('//health/ready')).toMatchObject({
      status: 200,
      body: { status: 'degraded', checks: { postgres: { status: 'up' }, ...notUp } },
    });
    await redis.start();
    await eventually(async () => expect((await api.get('//health/ready')).body.status).toBe('ok'));
    expect(await stock()).toBe(7);
    await eventually(async () =>
      expect((await api.send('POST', '/sessions', { email: user.email, password: 'correct horse' })).status).toBe(201),
    );
  });
});
