import { eventually, usePostgresServer } from '@core-infra/testing';
import { useOrdersApi } from './support/orders-api.js';

describe('without its database', () => {
  const server = usePostgresServer();
  const api = useOrdersApi({ DOCS_URL: '', LOG_LEVEL: 'fatal' }, server);

  it('answers 503 that says when to come back and nothing of the inside, and serves again by itself', async () => {
    const user = await api.user();
    await server.stop();
    const { status, headers, body } = await eventually(async () => {
      const answer = await api.get(`/users/${user.id}`);
      expect(answer.status).toBe(503);
      return answer;
    });
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(body).toEqual({
      success: false,
      error: 'Service Unavailable',
      error_code: expect.any(String),
      details: { request_id: headers.get('x-request-id') },
    });
    await eventually(async () => expect((await api.get('//health/ready')).status).toBe(503));
    expect((await api.get('//health/live')).status).toBe(200);
    expect((await api.send('POST', '/orders', { user_id: user.id })).status).toBe(422);
    await server.start();
    await eventually(async () => expect((await api.get(`/users/${user.id}`)).body).toEqual(user));
    await eventually(async () => expect((await api.get('//health/ready')).status).toBe(200));
  });

  it('has no page of its API where that is switched off', async () => {
    expect(await api.get('//docs')).toMatchObject({ status: 404, body: { error_code: 'NOT_FOUND' } });
  });
});
