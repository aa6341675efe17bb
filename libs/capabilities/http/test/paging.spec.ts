import { httpAdapters } from '@core-infra/testing';
import { cursorPageOf, pageOf, PageQuery, ValidationFailedError } from '../src/index.js';
import { decodeCursor, encodeCursor } from '../src/paging/cursor.js';
import type { PageSpec } from '../src/paging/page-spec.js';
import { parsePageQuery } from '../src/paging/parse-page-query.js';
import { bootOrders } from './support/orders.app.js';

const limits = { size: 20, maxSize: 100, maxOffset: 1_000 };
const spec: PageSpec = {
  sort: ['created_at', 'total'],
  defaultOrder: 'desc',
  cursor: true,
  filter: {
    is_active: 'boolean',
    total: 'integer',
    price: 'number',
    status: ['placed', 'paid'],
    id: 'uuid',
    name: 'string',
    code: { type: 'string', operators: ['like'] },
    created_at: 'date',
  },
};
const parse = (search: string, of: PageSpec = spec) => parsePageQuery(search, of, limits);
const errorsOf = (search: string, of: PageSpec = spec): Record<string, string> => {
  try {
    parse(search, of);
  } catch (error) {
    return { ...(error as ValidationFailedError).fieldErrors };
  }
  return {};
};

describe('parsePageQuery', () => {
  it('has defaults for all of it', () => {
    expect(parse('')).toEqual(new PageQuery({ page: 1, size: 20, sort: 'created_at', order: 'desc' }));
    expect(parse('', {})).toEqual(new PageQuery({ size: 20 }));
  });

  it('reads page, size, sort, order and filters of every type', () => {
    const uuid = '0198a7c4-0000-7000-8000-00000000000A';
    const query = parse(
      'page=3&size=10&sort=total&order=asc&other=x&filter[is_active][eq]=true&filter%5Btotal%5D%5Bgte%5D=-5&filter[total][lt]=100' +
        `&filter[price]=1.50&filter[status][in]=placed,paid&filter[id]=${uuid}&filter[name][contains]=a%20%25&filter[code][like]=A%25` +
        '&filter[created_at][gt]=2026-11-20T10:00:00Z',
    );
    expect(query).toMatchObject({ page: 3, size: 10, offset: 20, sort: 'total', order: 'asc', after: undefined });
    expect(query.filters).toEqual([
      { field: 'is_active', operator: 'eq', value: true },
      { field: 'total', operator: 'gte', value: -5 },
      { field: 'total', operator: 'lt', value: 100 },
      { field: 'price', operator: 'eq', value: 1.5 },
      { field: 'status', operator: 'in', value: ['placed', 'paid'] },
      { field: 'id', operator: 'eq', value: uuid },
      { field: 'name', operator: 'contains', value: 'a %' },
      { field: 'code', operator: 'like', value: 'A%' },
      { field: 'created_at', operator: 'gt', value: new Date('2026-11-20T10:00:00Z') },
    ]);
  });

  it('names everything that is wrong at once', () => {
    expect(
      errorsOf(
        'page=0&size=101&sort=password&order=up&filter[password]=x&filter[status]=gone&filter[is_active][gt]=true&filter=1' +
          '&filter[total]=1e3&filter[created_at]=2026-02-31&filter[id]=1&filter[constructor]=1',
      ),
    ).toEqual({
      page: 'must be a positive integer',
      size: 'must not be greater than 100',
      sort: 'must be one of: created_at, total',
      order: 'must be asc or desc',
      'filter[password]': expect.stringContaining('must name one of: is_active'),
      'filter[status]': 'must be one of: placed, paid',
      'filter[is_active][gt]': 'must use one of: eq, ne',
      filter: 'must be written filter[<field>][<operator>]',
      'filter[total]': 'must be an integer',
      'filter[created_at]': 'must be an ISO 8601 date or time with its zone',
      'filter[id]': 'must be a UUID',
      'filter[constructor]': expect.stringContaining('must name one of'),
    });
  });

  it.each([
    ['page=1&page=2', { page: 'must be given once' }],
    ['page=52', { page: 'must not skip more than 1000 items; read on by cursor (after)' }],
    ['page=1&after=', { after: 'must not be given together with page' }],
    ['after=nonsense', { after: expect.stringContaining('must be the cursor') }],
    ['filter[total]=1&filter[total][eq]=2', { 'filter[total][eq]': 'must be given once' }],
    [`filter[name]=${'x'.repeat(201)}`, { 'filter[name]': 'must be at most 200 characters' }],
    ['filter[name]=%00', { 'filter[name]': 'must be at most 200 characters' }],
    [`filter[total][in]=${'1,'.repeat(100)}1`, { 'filter[total][in]': 'must list at most 100 values' }],
  ])('refuses %s', (search, errors) => {
    expect(errorsOf(search)).toEqual(errors);
  });

  it('refuses everything that a bare list does not have', () => {
    expect(errorsOf('sort=a&after=x&filter[a]=1', {})).toEqual({
      sort: 'is not supported by this list',
      after: 'is not supported by this list',
      'filter[a]': 'is not supported by this list',
    });
  });
});

describe('answers', () => {
  it('count their pages', () => {
    const query = new PageQuery({ page: 2, size: 2 });
    expect(pageOf(['c', 'd'], 5, query)).toEqual({ items: ['c', 'd'], page: 2, size: 2, total: 5, pages: 3 });
    expect(pageOf([], 0, query).pages).toBe(0);
  });

  it('hand out a cursor that leads on, until the last part', () => {
    const first = parse('after=&size=2&sort=total&order=asc');
    expect(first.after).toBe('start');
    const rows = [
      { id: 'a', total: 1 },
      { id: 'b', total: 2 },
      { id: 'c', total: 3 },
    ];
    const answer = cursorPageOf(rows, first, row => [row.total, row.id]);
    expect(answer.items).toEqual(rows.slice(0, 2));
    const next = parse(`after=${answer.next}&size=2&sort=total&order=asc`);
    expect(next.after).toEqual([2, 'b']);
    expect(cursorPageOf(rows.slice(2), next, row => [row.total, row.id])).toEqual({
      items: [rows[2]],
      size: 2,
      next: null,
    });
  });

  it('take no cursor of another ordering, and none that was tampered with', () => {
    const cursor = encodeCursor([2, 'b'], { sort: 'total', order: 'asc' });
    expect(decodeCursor(cursor, { sort: 'total', order: 'asc' })).toEqual([2, 'b']);
    expect(decodeCursor(cursor, { sort: 'total', order: 'desc' })).toBeUndefined();
    expect(decodeCursor(cursor, { sort: 'created_at', order: 'asc' })).toBeUndefined();
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const value of [['total', 'asc'], ['total', 'asc', { $ne: 1 }], { 0: 'total' }, null])
      expect(decodeCursor(forged(value), { sort: 'total', order: 'asc' })).toBeUndefined();
    expect(decodeCursor('x'.repeat(3_000), { sort: 'total', order: 'asc' })).toBeUndefined();
  });
});

describe.each(httpAdapters)('@Page on %s', adapter => {
  it('hands the handler its query, whatever the adapter makes of brackets', async () => {
    await using app = await bootOrders(adapter, { paging: { size: 5, maxSize: 10 } });
    const response = await app.fetch(
      '/api/v1/orders?page=2&sort=total&filter[is_active][eq]=true&filter%5Bstatus%5D%5Bin%5D=placed%2Cpaid',
    );
    expect(await response.json()).toEqual({
      page: 2,
      size: 5,
      offset: 5,
      sort: 'total',
      order: 'desc',
      filters: [
        { field: 'is_active', operator: 'eq', value: true },
        { field: 'status', operator: 'in', value: ['placed', 'paid'] },
      ],
    });
  });

  it('answers 422, or what is configured, for what the list does not have', async () => {
    await using app = await bootOrders(adapter, { validation: { status: 400 } });
    const response = await app.fetch('/api/v1/orders/unlisted?sort=id');
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({
        error_code: 'VALIDATION_ERROR',
        details: expect.objectContaining({ field_errors: { sort: 'is not supported by this list' } }),
      }),
    ]);
  });
});
