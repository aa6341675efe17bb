import { createApp, listen, shutDown, type ShutdownTarget } from '@core-infra/core';
import { eventually, usePostgres } from '@core-infra/testing';
import { type INestApplication, Module } from '@nestjs/common';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
}

/**
 * The whole app, as its `main.ts` boots it, on a database of the spec file's own; and in the same process what orders-worker does, so that
 * events need no broker.
 */
export interface OrdersApi {
  readonly app: INestApplication;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  user(email?: string): Promise<any>;
  product(fields?: object): Promise<any>;
  order(user: any, ...lines: [product: any, quantity: number][]): Promise<Answer>;
  /** The order, once orders-worker has said what becomes of it. */
  concluded(id: string): Promise<any>;
}

/** What follows from an event takes its way over the outbox and back; on a machine that is busy with other specs that can take seconds. */
export const soon = <Result>(assertion: () => Promise<Result>): Promise<Result> =>
  eventually(assertion, { timeoutMs: 40_000, intervalMs: 50 });

let count = 0;

/**
 * To be called at the top of a spec file.
 * @param env on top of what every spec needs; a function is called once its servers are there
 * @param postgres @default a database of the file's own on the server of the run
 */
export function useOrdersApi(
  env: Record<string, string> | (() => Record<string, string>) = {},
  postgres: { readonly url: string } = usePostgres(),
): OrdersApi {
  let target: ShutdownTarget | undefined;
  let url = '';

  beforeAll(async () => {
    Object.assign(process.env, {
      POSTGRES_DSN: postgres.url,
      HTTP_PORT: '0',
      LOG_LEVEL: 'error',
      RATE_LIMIT_REQUESTS: '10000',
      MESSAGING_DRIVER: 'memory',
      // The process of a spec shares its processor with others.
      MESSAGING_CONSUMERS_MAX_LOOP_DELAY_MS: '0',
      PAYMENTS_FAKE_ENABLED: 'true',
      PAYMENTS_FAKE_FAILING: '0',
      PAYMENTS_FAKE_DELAY_MS: '0',
      ...(typeof env === 'function' ? env() : env),
    });
    // Not before: its modules depend on the environment.
    const { AppModule } = await import('../../src/app.module.js');
    const { FulfilmentModule } = await import('../../../orders-worker/src/fulfilment/fulfilment.module.js');
    @Module({ imports: [AppModule, FulfilmentModule] })
    class BothModule {}
    target = await createApp(BothModule, { adapter: 'fastify' });
    url = `${await listen(target.app as INestApplication)}`;
  }, 60_000);
  afterAll(async () => {
    if (target) await shutDown(target, 'spec');
  });

  const fetched = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(url + (path.startsWith('//') ? path.slice(1) : `/api/v1${path}`), init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
  const send: OrdersApi['send'] = (method, path, body, headers = {}) =>
    fetched(path, {
      method,
      headers: { ...headers, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  const api: OrdersApi = {
    get app() {
      return target!.app as INestApplication;
    },
    get: (path, headers = {}) => fetched(path, { headers }),
    send,
    user: async (email = `user${(count += 1)}@example.com`) =>
      (await send('POST', '/users', { first_name: 'Ada', last_name: 'Lovelace', email, password: 'correct horse' }))
        .body,
    product: async (fields = {}) => {
      const sku = `SKU-${(count += 1)}`;
      const product = { sku, name: `Product ${sku}`, price: { amount: 250, currency: 'EUR' }, stock: 10, ...fields };
      return (await send('POST', '/products', product)).body;
    },
    order: (user, ...lines) =>
      send('POST', '/orders', {
        user_id: user.id,
        lines: lines.map(([product, quantity]) => ({ product_id: product.id, quantity })),
      }),
    concluded: id =>
      soon(async () => {
        const { body } = await api.get(`/orders/${id}`);
        expect(body.status).not.toBe('placed');
        return body;
      }),
  };
  return api;
}
