import { type Child, eventually, runChild } from '@core-infra/testing';
import path from 'node:path';

const root = path.resolve(__dirname, '../../../..');

/** One of the sample's apps as a process of its own. */
export interface App {
  readonly child: Child;
  get(path: string): Promise<any>;
  send(method: string, path: string, body?: unknown): Promise<any>;
}

/** Starts an app from its `main.ts`, as `npm start` does, and resolves when it listens. */
export async function startApp(name: string, env: Record<string, string | undefined>): Promise<App> {
  const child = runChild(path.join(root, 'apps', name, 'src/main.ts'), {
    cwd: root,
    env: { NODE_ENV: 'development', HTTP_PORT: '0', LOG_LEVEL: 'info', RATE_LIMIT_REQUESTS: '100000', ...env },
  });
  const [, url] = await child.waitForLine(/Listening on (http:[^"\s]+)/);
  const send: App['send'] = async (method, where, body) => {
    const response = await fetch(url + (where.startsWith('//') ? where.slice(1) : `/api/v1${where}`), {
      method,
      ...(body !== undefined && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  return { child, send, get: async where => (await send('GET', where)).body };
}

/** Somebody to buy, and something to be bought. */
export async function customerOf(api: App, stock: number): Promise<{ user: any; product: any }> {
  const { body: user } = await api.send('POST', '/users', {
    first_name: 'Ada',
    last_name: 'Lovelace',
    email: 'ada@example.com',
    password: 'correct horse',
  });
  const price = { amount: 250, currency: 'EUR' };
  const { body: product } = await api.send('POST', '/products', { sku: 'TEA-1', name: 'Tea', price, stock });
  return { user, product };
}

/** Resolves with the orders once it is known of each what becomes of it. */
export function concluded(api: App, ids: readonly string[]): Promise<any[]> {
  return eventually(
    async () => {
      const orders = await Promise.all(ids.map(id => api.get(`/orders/${id}`)));
      expect(orders.filter(({ status }) => status !== 'paid' && status !== 'rejected')).toEqual([]);
      return orders;
    },
    { timeoutMs: 60_000, intervalMs: 250 },
  );
}
