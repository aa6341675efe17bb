import { httpAdapters } from '@core-infra/testing';
import { type ValidationError } from 'class-validator';
import { fieldErrorsOf } from '../src/validation/field-errors.js';
import { bootOrders, type HttpInput } from './support/orders.app.js';

describe.each(httpAdapters)('input validation on %s', adapter => {
  const post = async (body: unknown, options: HttpInput = {}) => {
    await using app = await bootOrders(adapter, options);
    const response = await app.fetch('/api/v1/orders', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as any };
  };

  it('names every field that is wrong by its path', async () => {
    const { status, body } = await post({
      note: 5,
      lines: [
        { sku: 'a', quantity: -1 },
        { sku: 7, quantity: 1.5 },
      ],
      extra: true,
    });
    expect(status).toBe(422);
    expect(body).toEqual({
      success: false,
      error: 'Validation failed',
      error_code: 'VALIDATION_ERROR',
      details: {
        request_id: expect.any(String),
        field_errors: {
          'lines[0].quantity': 'must be a positive integer',
          'lines[1].sku': 'must be a string',
          'lines[1].quantity': 'must be an integer number',
          note: 'must be a string',
          extra: 'should not exist',
        },
      },
    });
  });

  it('makes instances of the input', async () => {
    const { status, body } = await post({ lines: [{ sku: 'a', quantity: 2 }] });
    expect([status, body.isLine]).toEqual([201, true]);
  });

  it('answers 400 where so configured', async () => {
    const { status, body } = await post({ lines: [] }, { validation: { status: 400 } });
    expect([status, body.error_code, body.details.field_errors]).toEqual([
      400,
      'VALIDATION_ERROR',
      { lines: 'should not be empty' },
    ]);
  });

  it('converts what the class says, and nothing else', async () => {
    await using app = await bootOrders(adapter);
    const search = await app.fetch('/api/v1/orders/search?limit=5');
    expect(await search.json()).toEqual({ limit: 5 });
    const wrong = await app.fetch('/api/v1/orders/search?limit=five');
    expect([wrong.status, ((await wrong.json()) as any).details.field_errors]).toEqual([
      422,
      { limit: 'must be an integer number' },
    ]);
    expect((await post({ lines: [{ sku: 'a', quantity: '2' }] })).body.details.field_errors).toEqual({
      'lines[0].quantity': expect.stringContaining('must be an integer number'),
    });
  });

  it.each([
    ['nothing', ''],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['null', 'null'],
    ['thousands of levels', `{"lines":${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
  ])('refuses %s as the caller’s fault', async (_name, text) => {
    const { status, body } = await post(text);
    expect([400, 422]).toContain(status);
    expect(body.success).toBe(false);
  });

  it.each(['__proto__', 'constructor'])('does not let %s through', async key => {
    const { status } = await post(`{"lines":[{"sku":"a","quantity":1}],"${key}":{"polluted":true}}`);
    expect(({} as any).polluted).toBeUndefined();
    expect([201, 400, 422]).toContain(status);
  });
});

describe('fieldErrorsOf', () => {
  it('joins the messages of a field and keeps those of each value', () => {
    const error = (property: string, constraints?: Record<string, string>, children: ValidationError[] = []) =>
      ({ property, constraints, children }) as ValidationError;
    expect(
      fieldErrorsOf([
        error('tags', { isString: 'each value in tags must be a string' }),
        error('at', undefined, [error('0', undefined, [error('x', { a: 'x must be a', b: 'x must be b' })])]),
        error('name', { own: 'Say your name' }),
      ]),
    ).toEqual({
      tags: 'each value must be a string',
      'at[0].x': 'must be a and must be b',
      name: 'Say your name',
    });
  });
});
