import { DataSource } from '@core-infra/database';
import { soon, useOrdersApi } from './support/orders-api.js';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('orders', () => {
  const api = useOrdersApi();
  const stockOf = async (product: any) => (await api.get(`/products/${product.id}`)).body.stock;

  it('are placed with the catalogue’s prices, are paid and take the stock, and are read back as they were answered', async () => {
    const [user, tea, pot] = [
      await api.user(),
      await api.product(),
      await api.product({ price: { amount: 3_490, currency: 'EUR' } }),
    ];
    const { status, body } = await api.order(user, [tea, 3], [pot, 1]);
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(uuid),
      user_id: user.id,
      status: 'placed',
      total: { amount: 3 * 250 + 3_490, currency: 'EUR' },
      discount: { amount: 0, currency: 'EUR' },
      created_at: expect.stringMatching(/Z$/),
      paid_at: null,
      rejection_reason: null,
      cancelled_at: null,
      lines: [
        expect.objectContaining({
          product_id: tea.id,
          sku: tea.sku,
          quantity: 3,
          unit_price: { amount: 250, currency: 'EUR' },
          price: { amount: 750, currency: 'EUR' },
        }),
        expect.objectContaining({ product_id: pot.id, quantity: 1 }),
      ],
    });
    const paid = await api.concluded(body.id);
    expect(paid).toEqual({ ...body, status: 'paid', paid_at: expect.stringMatching(/Z$/) });
    await soon(async () => expect([await stockOf(tea), await stockOf(pot)]).toEqual([7, 9]));
  });

  it('take nothing at all when one product is short', async () => {
    const [user, tea, pot] = [await api.user(), await api.product(), await api.product({ stock: 1 })];
    const { status, body } = await api.order(user, [tea, 2], [pot, 2]);
    expect(status).toBe(409);
    expect(body).toMatchObject({
      success: false,
      error_code: 'OUT_OF_STOCK',
      details: { products: [{ product_id: pot.id, requested: 2, in_stock: 1 }] },
    });
    expect([await stockOf(tea), await stockOf(pot)]).toEqual([10, 1]);
  });

  it('name unknown products, users and mixed currencies, and leave the stock alone', async () => {
    const [user, tea] = [await api.user(), await api.product()];
    const nobody = { id: '0198a7c4-0000-7000-8000-000000000000' };
    const dollars = await api.product({ price: { amount: 1, currency: 'USD' } });
    const retired = await api.product({ is_active: false });
    expect(await api.order(user, [tea, 1], [nobody, 1])).toMatchObject({
      status: 422,
      body: { error_code: 'UNKNOWN_PRODUCT', details: { product_ids: [nobody.id] } },
    });
    expect((await api.order(user, [retired, 1])).body.error_code).toBe('UNKNOWN_PRODUCT');
    expect(await api.order(nobody, [tea, 1])).toMatchObject({
      status: 422,
      body: { error_code: 'UNKNOWN_USER', details: { user_id: nobody.id } },
    });
    expect(await api.order(user, [tea, 1], [dollars, 1])).toMatchObject({
      status: 422,
      body: { error_code: 'MIXED_CURRENCIES' },
    });
    expect(await stockOf(tea)).toBe(10);
  });

  it('never sell more than there is, however many come at once', async () => {
    const [user, rare, common] = [
      await api.user(),
      await api.product({ stock: 5 }),
      await api.product({ stock: 1_000 }),
    ];
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        index % 2 ? api.order(user, [rare, 1], [common, 1]) : api.order(user, [common, 1], [rare, 1]),
      ),
    );
    const placed = answers.filter(({ status }) => status === 201);
    for (const { status } of answers) expect([201, 409]).toContain(status);
    const orders = await Promise.all(placed.map(({ body }) => api.concluded(body.id)));
    expect(orders.filter(({ status }) => status === 'paid')).toHaveLength(5);
    expect(orders.filter(({ status }) => status === 'rejected')).toHaveLength(placed.length - 5);
    await soon(async () => expect([await stockOf(rare), await stockOf(common)]).toEqual([0, 995]));
  });

  it('are cancelled once, and put back what they took', async () => {
    const [user, tea] = [await api.user(), await api.product()];
    const { body: order } = await api.order(user, [tea, 4]);
    const answers = await Promise.all(Array.from({ length: 5 }, () => api.send('POST', `/orders/${order.id}/cancel`)));
    const done = answers.filter(({ status }) => status === 200);
    expect(done).toHaveLength(1);
    expect(done[0]!.body).toMatchObject({ id: order.id, status: 'cancelled', cancelled_at: expect.any(String) });
    expect(done[0]!.body.lines).toHaveLength(1);
    for (const { status, body } of answers.filter(answer => answer !== done[0])) {
      expect([status, body.error_code]).toEqual([409, 'ORDER_ALREADY_CANCELLED']);
      expect(body.details).toMatchObject({ order_id: order.id, cancelled_at: done[0]!.body.cancelled_at });
    }
    await soon(async () => expect(await stockOf(tea)).toBe(10));
    expect((await api.get(`/orders/${order.id}`)).body.status).toBe('cancelled');
  });

  it('say by field what is wrong with them', async () => {
    const [user, tea] = [await api.user(), await api.product()];
    const { status, body } = await api.send('POST', '/orders', {
      user_id: 'me',
      lines: [
        { product_id: tea.id, quantity: 0 },
        { product_id: tea.id.toUpperCase(), quantity: 1.5, price: 1 },
      ],
      total: 1,
    });
    expect(status).toBe(422);
    expect(body).toMatchObject({ success: false, error: 'Validation failed', error_code: 'VALIDATION_ERROR' });
    expect(body.details.field_errors).toEqual({
      user_id: 'must be a UUID',
      lines: 'must name each product once',
      'lines[0].quantity': 'must be a positive integer',
      'lines[1].quantity': 'must be a positive integer',
      'lines[1].price': 'should not exist',
      total: 'should not exist',
    });
    for (const lines of [undefined, [], {}, [null], ['x']]) {
      const answer = await api.send('POST', '/orders', { user_id: user.id, lines });
      expect([answer.status, Object.keys(answer.body.details.field_errors)[0]]).toEqual([
        422,
        expect.stringMatching(/^lines/),
      ]);
    }
  });

  it('answer what is not there in one shape, with the id of the request', async () => {
    const id = '0198a7c4-0000-7000-8000-000000000001';
    const { status, headers, body } = await api.get(`/orders/${id}`, { 'X-Request-ID': 'walk-1' });
    expect(status).toBe(404);
    expect(body).toEqual({
      success: false,
      error: 'Resource not found',
      error_code: 'NOT_FOUND',
      details: { request_id: 'walk-1', resource_type: 'Order', resource_id: id },
    });
    expect(headers.get('x-request-id')).toBe('walk-1');
    expect((await api.send('POST', `/orders/${id}/cancel`)).status).toBe(404);
    expect((await api.get('/orders/42')).body.details.field_errors).toEqual({ id: 'must be a UUID' });
    expect((await api.get('/nothing')).body).toMatchObject({ success: false, error_code: 'NOT_FOUND' });
    const problem = await api.get(`/orders/${id}`, { Accept: 'application/problem+json' });
    expect(problem.headers.get('content-type')).toContain('application/problem+json');
    expect(problem.body).toMatchObject({ status: 404, error_code: 'NOT_FOUND', resource_type: 'Order' });
  });

  describe('as a list', () => {
    let user: any;
    let orders: any[];
    beforeAll(async () => {
      user = await api.user();
      const product = await api.product({ stock: 1_000 });
      const answers: any[] = [];
      for (let quantity = 1; quantity <= 7; quantity += 1)
        answers.push((await api.order(user, [product, quantity])).body);
      orders = answers;
      await api.send('POST', `/orders/${orders[0].id}/cancel`);
      // All of one moment, so that only the id orders them.
      await api.app
        .get(DataSource, { strict: false })
        .query(`UPDATE orders SET created_at = now() WHERE user_id = $1`, [user.id]);
    });
    const list = (query: string) => api.get(`/orders?filter[user_id]=${user.id}&${query}`);
    const totals = ({ body }: any) => body.items.map((order: any) => order.total.amount / 250);

    it('come in pages with their count, without lines', async () => {
      const page = await list('page=2&size=3&sort=total&order=asc');
      expect(page.body).toMatchObject({ page: 2, size: 3, total: 7, pages: 3 });
      expect(totals(page)).toEqual([4, 5, 6]);
      expect(page.body.items[0]).not.toHaveProperty('lines');
      expect((await list('page=9&size=3')).body).toMatchObject({ items: [], total: 7, pages: 3 });
    });

    it('are filtered by every operator of their fields', async () => {
      expect((await list('filter[status]=cancelled')).body.total).toBe(1);
      expect((await list('filter[status][ne]=cancelled')).body.total).toBe(6);
      expect(totals(await list('filter[total][gt]=500&filter[total][lte]=1000&sort=total&order=desc'))).toEqual([4, 3]);
      expect(totals(await list('filter[total][in]=250,1750&sort=total&order=asc'))).toEqual([1, 7]);
      expect((await list('filter[created_at][gt]=2100-01-01')).body.total).toBe(0);
      expect((await list('filter[created_at][gte]=2020-01-01T00:00:00Z')).body.total).toBe(7);
    });

    it.each(['created_at', 'total'])('are read by cursor without a gap or a repetition, sorted by %s', async sort => {
      const seen: string[] = [];
      let after: string | null = '';
      while (after !== null) {
        const { status, body }: any = await list(`after=${after}&size=2&sort=${sort}&order=desc`);
        expect([status, Object.keys(body)]).toEqual([200, ['items', 'size', 'next']]);
        seen.push(...body.items.map((order: any) => order.id));
        after = body.next;
      }
      expect(seen).toHaveLength(7);
      expect(new Set(seen)).toEqual(new Set(orders.map(order => order.id)));
    });

    it('refuse what they are not sorted or filtered by, and values that fit no column', async () => {
      expect(await list('sort=password&filter[password]=x&size=1000')).toMatchObject({
        status: 422,
        body: {
          details: {
            field_errors: {
              sort: expect.any(String),
              'filter[password]': expect.any(String),
              size: expect.any(String),
            },
          },
        },
      });
      const forged = Buffer.from(JSON.stringify(['total', 'asc', 'x', 'y'])).toString('base64url');
      expect((await list(`after=${forged}&sort=total&order=asc`)).body.details.field_errors).toEqual({
        after: 'has a value that is out of range',
      });
      expect((await list("filter[currency]=E'R")).body.total).toBe(0);
    });
  });
});
