import { DataSource, migratorOf } from '@core-infra/database';
import { messagingMigrations } from '@core-infra/messaging/outbox';
import { CatalogueSeed } from '../src/catalogue/catalogue.seed.js';
import { sampleCatalogue } from '../src/catalogue/sample-catalogue.js';
import { useOrdersApi } from './support/orders-api.js';

describe('the catalogue', () => {
  const api = useOrdersApi({ SAMPLE_SEED: 'true' });
  const stocks = async () =>
    Object.fromEntries(
      (await api.get('/products?size=100')).body.items.map((product: any) => [product.sku, product.stock]),
    );

  it('is seeded once, and a second seeding changes nothing', async () => {
    const before = await stocks();
    expect(Object.keys(before)).toHaveLength(sampleCatalogue.length);
    const [product] = (await api.get('/products?filter[sku]=COF-YIRG-500')).body.items;
    expect(product).toMatchObject({ price: { amount: 1_690, currency: 'EUR' }, is_active: true });
    await api.send('POST', `/products/${product.id}/stock`, { change: -5 });
    const seed = api.app.get(CatalogueSeed, { strict: false });
    await Promise.all([seed.onApplicationBootstrap(), seed.onApplicationBootstrap()]);
    expect(await stocks()).toEqual({ ...before, 'COF-YIRG-500': 40 });
  });

  it('is sorted, filtered and searched, also for the characters that LIKE knows', async () => {
    await api.send('POST', '/products', {
      sku: 'ODD-1',
      name: '100% pure_tea\\',
      price: { amount: 1, currency: 'EUR' },
      stock: 0,
    });
    const skus = async (query: string) => (await api.get(`/products?${query}`)).body.items.map(({ sku }: any) => sku);
    expect(await skus('filter[name][contains]=tEaPoT&sort=price&order=desc')).toEqual(['POT-IRON-06', 'POT-GLASS-1L']);
    for (const part of ['100%25', 'pure_', '%5C'])
      expect(await skus(`filter[name][contains]=${part}`)).toEqual(['ODD-1']);
    expect(await skus('filter[name][contains]=1_0')).toEqual([]);
    expect(await skus('filter[is_active][eq]=false')).toEqual([]);
    expect(await skus('filter[stock][lte]=1&sort=sku')).toEqual(['GIFT-TASTE-6', 'ODD-1']);
    expect((await api.get('/products?filter[price]=99999999999')).status).toBe(422);
  });

  it('takes a product once, and no stock below nothing', async () => {
    const product = await api.product({ sku: 'NEW-1', stock: 3 });
    expect(product).toMatchObject({ sku: 'NEW-1', stock: 3, is_active: true });
    const again = await api.send('POST', '/products', {
      sku: 'NEW-1',
      name: 'x',
      price: { amount: 1, currency: 'EUR' },
      stock: 1,
    });
    expect(again).toMatchObject({ status: 409, body: { error_code: 'SKU_TAKEN', details: { sku: 'NEW-1' } } });
    const adjust = (change: unknown) => api.send('POST', `/products/${product.id}/stock`, { change });
    expect((await adjust(4)).body.stock).toBe(7);
    expect((await adjust(-8)).body).toMatchObject({
      error_code: 'OUT_OF_STOCK',
      details: { products: [{ requested: 8, in_stock: 7 }] },
    });
    expect((await adjust(2_000_000)).status).toBe(422);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => adjust(-1)));
    expect(outcomes.filter(({ status }) => status === 200)).toHaveLength(7);
    expect((await api.get(`/products/${product.id}`)).body.stock).toBe(0);
  });

  it('says what is wrong with a product', async () => {
    const { body } = await api.send('POST', '/products', {
      sku: 'x y',
      name: '',
      price: { amount: 12.99, currency: 'eur' },
      stock: -1,
    });
    expect(Object.keys(body.details.field_errors).sort()).toEqual([
      'name',
      'price.amount',
      'price.currency',
      'sku',
      'stock',
    ]);
    const bare = await api.send('POST', '/products', {});
    expect(Object.keys(bare.body.details.field_errors)).toEqual(expect.arrayContaining(['sku', 'price']));
    const price = { amount: 1, currency: 'EUR' };
    const odd = await api.send('POST', '/products', { sku: 'ODD-2', name: 'tea\0', price, stock: 1, is_active: null });
    expect(odd.status).toBe(422);
    expect(odd.body.details.field_errors).toEqual({
      name: 'must have no control characters',
      is_active: expect.any(String),
    });
  });

  it('is in the OpenAPI document, whose page and probes stand outside of the prefix', async () => {
    const { status, body } = await api.get('//docs-json');
    expect(status).toBe(200);
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        '/api/v1/orders',
        '/api/v1/orders/{id}/cancel',
        '/api/v1/products',
        '/api/v1/users/{id}/password',
      ]),
    );
    expect(body.components.schemas.CreateOrder.properties.lines.items.$ref).toBe('#/components/schemas/NewOrderLine');
    expect(body.components.schemas.UserAnswer.properties).not.toHaveProperty('password');
    const { post } = body.paths['/api/v1/orders'];
    expect(post.summary).toBe('Place an order');
    expect(post.responses['409'].description).toContain('OUT_OF_STOCK');
    expect(post.responses['422'].description).toMatch(/VALIDATION_ERROR[\s\S]+UNKNOWN_PRODUCT[\s\S]+UNKNOWN_USER/);
    expect((await api.get('//docs')).status).toBe(200);
    expect(await api.get('//health/ready')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect((await api.get('//health/postgres')).status).toBe(200);
  });

  it('is gone once its migrations are taken back, and comes back with them', async () => {
    const dataSource = api.app.get(DataSource, { strict: false });
    const tables = async () =>
      (await dataSource.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)).map(
        ({ tablename }: any) => tablename,
      );
    const before = await tables();
    expect(before).toEqual(expect.arrayContaining(['order_lines', 'orders', 'products', 'users']));
    const migrator = migratorOf(dataSource);
    const all = (await migrator.status()).length;
    expect((await migrator.down(all)).map(({ name }) => name)).toEqual([
      ...messagingMigrations.map(({ name }) => name).reverse(),
      '009_fake_payment_references',
      '008_fake_payments',
      '007_reservations',
      '006_order_payment',
      '005_order_discounts',
      '004_orders',
      '003_products',
      '002_users',
      '001_extensions',
    ]);
    expect(await tables()).toEqual(['core_infra_migrations']);
    await migrator.up();
    expect(await tables()).toEqual(before);
  });
});
