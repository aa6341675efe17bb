import { DataSource } from '@core-infra/database';
import { EventBus } from '@core-infra/messaging';
import { randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { orderCancelled, orderPlaced } from 'orders-events';
import { soon, useOrdersApi } from '../../orders-api/test/support/orders-api.js';
import { FulfilmentService } from '../src/fulfilment/fulfilment.service.js';

interface Call {
  readonly operation: string;
  readonly key: string;
  readonly reference: string;
}

/** A provider that does what the spec says, and notes what it was asked. */
function useProvider() {
  const calls: Call[] = [];
  const spec = { url: '', calls, answer: async (_call: Call, reply: ServerResponse): Promise<void> => end(reply, 503) };
  const server = createServer((request, reply) => {
    let text = '';
    request.on('data', chunk => (text += chunk));
    request.on('end', () => {
      const { reference } = JSON.parse(text);
      const call = { operation: request.url!.slice(1), key: String(request.headers['idempotency-key']), reference };
      calls.push(call);
      void spec.answer(call, reply);
    });
  });
  beforeAll(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    spec.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  });
  beforeEach(() => void calls.splice(0));
  return spec;
}

const end = (reply: ServerResponse, status: number, body: object = {}): void =>
  void reply.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
const isOf = (operation: string) => (call: Call) => call.operation === operation;

describe('a payment provider', () => {
  const provider = useProvider();
  const api = useOrdersApi(() => ({
    PAYMENTS_URL: provider.url,
    MESSAGING_RETRY_FIRST_DELAY_MS: '5',
    LOG_LEVEL: 'fatal',
  }));
  const place = async (): Promise<string> =>
    (await api.order(await api.user(), [await api.product({ stock: 10 }), 1])).body.id;

  it.each([['rejected'], ['cancelled']] as const)(
    'gives back what it has charged when the order is found %s, though its first refunds fail and the event comes again',
    async state => {
      let refunds = 0;
      provider.answer = async ({ operation, reference }, reply) => {
        if (operation === 'refunds') return end(reply, (refunds += 1) <= 2 ? 503 : 200);
        // Somebody else was faster while the provider was thinking.
        const fulfilment = api.app.get(FulfilmentService, { strict: false });
        await (state === 'rejected'
          ? fulfilment.conclude(reference, { declined: true })
          : fulfilment.cancel(reference));
        return end(reply, 201, { payment_id: randomUUID() });
      };
      const id = await place();
      await soon(async () => expect(provider.calls.filter(isOf('refunds'))).toHaveLength(3));
      expect(provider.calls.filter(isOf('charges'))).toHaveLength(1);
      expect(new Set(provider.calls.map(({ reference }) => reference))).toEqual(new Set([id]));
    },
  );

  it('is asked again with the same key, and for a refund with another one than for the charge', async () => {
    let charges = 0;
    provider.answer = async ({ operation }, reply) => {
      if (operation === 'refunds') return end(reply, 200);
      return (charges += 1) < 3 ? end(reply, 503) : end(reply, 201, { payment_id: randomUUID() });
    };
    const id = await place();
    expect(await api.concluded(id)).toMatchObject({ status: 'paid' });
    expect((await api.send('POST', `/orders/${id}/cancel`)).status).toBe(200);
    await soon(async () => expect(provider.calls.filter(isOf('refunds'))).toHaveLength(1));
    const keysOf = (operation: string) => provider.calls.filter(isOf(operation)).map(({ key }) => key);
    expect(keysOf('charges')).toEqual(Array(3).fill(`charge-${id}`));
    expect(keysOf('refunds')).toEqual([`refund-${id}`]);
  });

  it.each<[string, (reply: ServerResponse) => void]>([
    ['is still at work on that key', reply => end(reply, 409)],
    [
      'hangs up in the middle of its answer',
      reply => reply.writeHead(201, { 'Content-Length': '100' }).write('{', () => reply.destroy()),
    ],
  ])('that %s is asked again', async (_what, first) => {
    let charges = 0;
    provider.answer = async (_call, reply) =>
      (charges += 1) === 1 ? first(reply) : end(reply, 201, { payment_id: randomUUID() });
    expect(await api.concluded(await place())).toMatchObject({ status: 'paid' });
    expect(charges).toBe(2);
  });

  it('charges nobody for an order that was cancelled before it came', async () => {
    provider.answer = async (_call, reply) => end(reply, 200);
    const events = api.app.get(EventBus, { strict: false });
    const [user, product, order_id] = [await api.user(), await api.product({ stock: 10 }), randomUUID()];
    await events.publish(orderCancelled.of({ order_id }));
    await soon(async () => expect(provider.calls.map(({ operation }) => operation)).toEqual(['refunds']));
    const lines = [{ product_id: product.id, quantity: 1 }];
    const total = { amount: 250, currency: 'EUR' };
    await events.publish(orderPlaced.of({ order_id, user_id: user.id, total, card: 'card_ok', lines }));
    await soon(async () => expect(provider.calls.map(({ operation }) => operation)).toEqual(['refunds', 'refunds']));
    expect((await api.get(`/products/${product.id}`)).body.stock).toBe(10);
  });

  it('is not asked before there is a product for every line, of which one product may have several', async () => {
    provider.answer = async ({ operation }, reply) =>
      operation === 'refunds' ? end(reply, 200) : end(reply, 201, { payment_id: randomUUID() });
    const events = api.app.get(EventBus, { strict: false });
    const database = api.app.get(DataSource, { strict: false });
    const [user, product] = [await api.user(), await api.product({ stock: 5 })];
    const publish = async (quantity: number): Promise<string> => {
      const order_id = randomUUID();
      const lines = [product.id, product.id.toUpperCase()].map(product_id => ({ product_id, quantity }));
      const total = { amount: 250, currency: 'EUR' };
      await events.publish(orderPlaced.of({ order_id, user_id: user.id, total, card: 'card_ok', lines }));
      return order_id;
    };
    const becomes = (id: string, state: string) =>
      soon(async () =>
        expect(await database.query(`SELECT state FROM reservations WHERE order_id = $1`, [id])).toEqual([{ state }]),
      );
    const stock = async () => (await database.query(`SELECT stock FROM products WHERE id = $1`, [product.id]))[0].stock;
    await becomes(await publish(3), 'rejected');
    expect([await stock(), provider.calls.filter(isOf('charges')).length]).toEqual([5, 0]);
    const id = await publish(2);
    await becomes(id, 'paid');
    expect(await stock()).toBe(1);
    await events.publish(orderCancelled.of({ order_id: id }));
    await becomes(id, 'cancelled');
    expect(await stock()).toBe(5);
  });

  it('is asked though another order of the same product is just being placed', async () => {
    provider.answer = async (_call, reply) => end(reply, 201, { payment_id: randomUUID() });
    const database = api.app.get(DataSource, { strict: false });
    const [user, product] = [await api.user(), await api.product({ stock: 10 })];
    const placing = database.createQueryRunner();
    await placing.startTransaction();
    try {
      // As the foreign key of its lines does, until it is committed.
      await placing.query(`SELECT FROM products WHERE id = $1 FOR KEY SHARE`, [product.id]);
      const { body: order } = await api.order(user, [product, 1]);
      expect(await api.concluded(order.id)).toMatchObject({ status: 'paid' });
    } finally {
      await placing.rollbackTransaction();
      await placing.release();
    }
  });
});
