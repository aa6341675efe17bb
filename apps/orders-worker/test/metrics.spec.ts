import { eventually, usePostgres } from '@core-infra/testing';
import { concluded, customerOf, startApp } from './support/shop.js';

describe('the metrics of the sample', () => {
  const postgres = usePostgres();

  it('are on the port of each process, and tell what became of an order', async () => {
    const env = { POSTGRES_DSN: postgres.url, PAYMENTS_FAKE_ENABLED: 'true', PAYMENTS_FAKE_FAILING: '0' };
    const api = await startApp('orders-api', env);
    const worker = await startApp('orders-worker', env);
    const lineOf = async (app: typeof api, metric: RegExp): Promise<string> => {
      const [, url] = await app.child.waitForLine(/Listening on (http:[^"\s]+)/);
      const text = await (await fetch(`${url}/metrics`)).text();
      return metric.exec(text)?.[0] ?? `none of ${metric.source}`;
    };
    try {
      const { user, product } = await customerOf(api, 10);
      const order = await api.send('POST', '/orders', {
        user_id: user.id,
        lines: [{ product_id: product.id, quantity: 1 }],
      });
      await concluded(api, [order.body.id]);
      await eventually(async () => {
        expect(
          await lineOf(
            worker,
            /^infra_messaging_handled_total\{connection="messaging",group="orders-worker",topic="orders\.placed"\} .*$/m,
          ),
        ).toMatch(/ 1$/);
        expect(await lineOf(worker, /^infra_messaging_outbox_events\{.*$/m)).toMatch(/ 0$/);
      });
      expect(
        await lineOf(
          api,
          /^http_server_request_duration_seconds_count\{method="POST",route="\/api\/v1\/orders",status="2xx"\} .*$/m,
        ),
      ).toMatch(/ 1$/);
      expect(await lineOf(api, /^infra_connection_up\{connection="database".*$/m)).toMatch(/ 1$/);
    } finally {
      for (const app of [api, worker]) app.child.kill('SIGTERM');
      await Promise.all([api, worker].map(app => app.child.exit));
    }
  });
});
