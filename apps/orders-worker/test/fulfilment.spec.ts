import { DataSource } from '@core-infra/database';
import { soon, useOrdersApi } from '../../orders-api/test/support/orders-api.js';

describe('an order', () => {
  const api = useOrdersApi({ PAYMENTS_FAKE_FAILING: '0.5', MESSAGING_RETRY_FIRST_DELAY_MS: '5', LOG_LEVEL: 'fatal' });
  const stockOf = async (product: any) => (await api.get(`/products/${product.id}`)).body.stock;
  const chargesOf = async (order: any) => (await api.get(`/fake-payments/charges?reference=${order.id}`)).body;
  const place = async (user: any, product: any, quantity: number, card?: string) =>
    api.send('POST', '/orders', { user_id: user.id, lines: [{ product_id: product.id, quantity }], card });

  it('is paid, and charged once, though half of the provider’s answers are refusals and lost ones', async () => {
    const [user, tea] = [await api.user(), await api.product({ stock: 100 })];
    const orders = await Promise.all(Array.from({ length: 12 }, async () => (await place(user, tea, 2)).body));
    for (const { id, status } of orders) {
      expect(status).toBe('placed');
      expect(await api.concluded(id)).toMatchObject({ status: 'paid', paid_at: expect.stringMatching(/Z$/) });
      expect(await chargesOf({ id })).toMatchObject({
        total: 1,
        items: [{ amount: 500, currency: 'EUR', refunded: false }],
      });
    }
    await soon(async () => expect(await stockOf(tea)).toBe(76));
  });

  it('is rejected for a card that is declined, and puts back what it had reserved', async () => {
    const [user, tea] = [await api.user(), await api.product()];
    const { body: order } = await place(user, tea, 3, 'card_declined');
    expect(await api.concluded(order.id)).toMatchObject({
      status: 'rejected',
      rejection_reason: 'card_declined',
      paid_at: null,
    });
    await soon(async () => expect(await stockOf(tea)).toBe(10));
    expect(await chargesOf(order)).toEqual({ total: 0, items: [] });
    expect(await api.send('POST', `/orders/${order.id}/cancel`)).toMatchObject({
      status: 409,
      body: { error_code: 'ORDER_REJECTED', details: { reason: 'card_declined' } },
    });
  });

  it('is rejected when others were faster, so that no more is sold than there is', async () => {
    const [user, rare] = [await api.user(), await api.product({ stock: 5 })];
    const answers = await Promise.all(Array.from({ length: 20 }, () => place(user, rare, 1)));
    const placed = answers.filter(({ status }) => status === 201);
    const orders = await Promise.all(placed.map(({ body }) => api.concluded(body.id)));
    const paid = orders.filter(({ status }) => status === 'paid');
    expect(paid).toHaveLength(5);
    for (const order of orders.filter(({ status }) => status !== 'paid'))
      expect(order).toMatchObject({ status: 'rejected', rejection_reason: 'out_of_stock' });
    for (const { status, body } of answers.filter(answer => !placed.includes(answer)))
      expect([status, body.error_code]).toEqual([409, 'OUT_OF_STOCK']);
    await soon(async () => expect(await stockOf(rare)).toBe(0));
  });

  it('that is cancelled gives back products and money, whenever it is', async () => {
    const [user, tea] = [await api.user(), await api.product({ stock: 100 })];
    const orders = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const { body } = await place(user, tea, 1);
        // Some are paid by then, some are just being charged, and some have not been looked at.
        if (index % 3 === 0) await api.concluded(body.id);
        return body;
      }),
    );
    for (const { id } of orders) expect((await api.send('POST', `/orders/${id}/cancel`)).status).toBe(200);
    await soon(async () => expect(await stockOf(tea)).toBe(100));
    const database = api.app.get(DataSource, { strict: false });
    const ids = orders.map(({ id }) => id);
    await soon(async () =>
      expect(
        await database.query(`SELECT count(*) FROM fake_payments WHERE reference = ANY($1) AND refunded_at IS NULL`, [
          ids,
        ]),
      ).toEqual([{ count: '0' }]),
    );
    for (const id of ids) expect((await api.get(`/orders/${id}`)).body.status).toBe('cancelled');
  });
});
