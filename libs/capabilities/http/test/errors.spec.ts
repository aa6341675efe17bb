import { Logger } from '@nestjs/common';
import { eventually, httpAdapters } from '@core-infra/testing';
import { bootOrders, debugInfo } from './support/orders.app.js';

const json = async (response: Response) => (await response.json()) as any;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe.each(httpAdapters)('error answers on %s', adapter => {
  const failing = async (name: string, headers: Record<string, string> = {}, options = {}, modules: any[] = []) => {
    await using app = await bootOrders(adapter, options, { modules });
    const response = await app.fetch(`/api/v1/orders/fail?with=${name}`, { headers });
    return { response, body: await json(response) };
  };

  it.each([
    ['infra', 409, 'OUT_OF_STOCK', 'Not enough in stock', { product_id: 'p1', in_stock: '2', parts: { left: ['a'] } }],
    ['missing', 404, 'NOT_FOUND', 'Resource not found', { resource_type: 'User', resource_id: '7' }],
    ['nest', 404, 'NOT_FOUND', 'No such thing', {}],
    ['coded', 402, 'UNPAID', 'Pay first', {}],
    ['list', 400, 'BAD_REQUEST', 'Bad Request', { messages: ['a must be b', 'c must be d'] }],
    ['body', 418, 'I_AM_A_TEAPOT', 'Odd', { reason: 'odd', since: 3 }],
    ['unknown', 500, 'INTERNAL_ERROR', 'Internal Server Error', {}],
    ['text', 500, 'INTERNAL_ERROR', 'Internal Server Error', {}],
    ['away', 503, 'INFRA_STORE_AWAY', 'Service Unavailable', {}],
    ['refused', 503, 'SERVICE_UNAVAILABLE', 'Service Unavailable', {}],
    ['built', 410, 'GONE', 'Gone for good', { a: 1 }],
    ['thrown', 425, 'TOO_EARLY', 'Not yet', {}],
  ])('%s: %i %s', async (name, status, code, message, details) => {
    const { response, body } = await failing(name);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(body).toEqual({
      success: false,
      error: message,
      error_code: code,
      details: { request_id: expect.stringMatching(uuid), ...details },
    });
    expect(response.headers.get('x-request-id')).toBe(body.details.request_id);
  });

  it.each([
    ['away', '1'],
    ['later', '3'],
    ['refused', '1'],
    ['infra', null],
  ])('says when to come back: %s after %s', async (name, seconds) => {
    expect((await failing(name)).response.headers.get('retry-after')).toBe(seconds);
  });

  it('takes a sane request id from the caller and makes its own for any other', async () => {
    expect((await failing('nest', { 'X-Request-ID': 'abc-1' })).body.details.request_id).toBe('abc-1');
    expect((await failing('nest', { 'X-Request-ID': 'a b<script>' })).body.details.request_id).toMatch(uuid);
  });

  it.each([
    ['by Accept', { Accept: 'application/json;q=0.5, application/problem+json' }, {}],
    ['by configuration', {}, { errors: { format: 'problem' } }],
  ])('writes RFC 9457 %s', async (_how, headers, options) => {
    const { response, body } = await failing('missing', headers as Record<string, string>, options);
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(response.headers.get('vary')).toContain('Accept');
    expect(body).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'Resource not found',
      instance: '/api/v1/orders/fail',
      error_code: 'NOT_FOUND',
      request_id: expect.stringMatching(uuid),
      resource_type: 'User',
      resource_id: '7',
    });
  });

  it('links each code where a base is configured, and heeds q=0', async () => {
    const { body } = await failing('missing', {}, { errors: { format: 'problem', typeBase: 'https://x.test/e/' } });
    expect(body.type).toBe('https://x.test/e/NOT_FOUND');
    expect((await failing('missing', { Accept: 'application/problem+json;q=0' })).body.success).toBe(false);
  });

  it('writes a returned error in the format that the caller accepts', async () => {
    const { response, body } = await failing('built', { Accept: 'application/problem+json' });
    expect(response.status).toBe(410);
    expect(body).toMatchObject({ status: 410, detail: 'Gone for good', error_code: 'GONE', a: 1 });
  });

  it('shows the stack and its cause where debugging is on, and only there', async () => {
    const { body } = await failing('unknown', {}, {}, [debugInfo]);
    expect(body.details.stack[0]).toBe('TypeError: secret of the house');
    expect(body.details.stack).toContain('Error: deep secret');
    expect(JSON.stringify((await failing('unknown')).body)).not.toContain('secret');
  });

  it('logs a 5xx once, with its cause and without the query, and a 4xx not at all', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    try {
      await failing('unknown');
      expect(logged.mock.calls).toEqual([
        [
          'GET /api/v1/orders/fail failed: secret of the house',
          { err: expect.objectContaining({ cause: expect.any(Error) }), status: 500, error_code: 'INTERNAL_ERROR' },
        ],
      ]);
      logged.mockClear();
      await failing('infra');
      expect(logged).not.toHaveBeenCalled();
    } finally {
      logged.mockRestore();
    }
  });

  it.each(['/api/v1/nothing', '/nothing', '/'])('answers the unknown route %s in its own words', async path => {
    await using app = await bootOrders(adapter);
    for (const method of ['GET', 'POST', 'DELETE']) {
      const response = await app.fetch(path, { method });
      expect(response.status).toBe(404);
      expect(await json(response)).toMatchObject({
        success: false,
        error_code: 'NOT_FOUND',
        error: `Cannot ${method} ${path}`,
      });
    }
    const head = await app.fetch(path, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([404, '']);
  });

  it('answers what the parsers refuse', async () => {
    await using app = await bootOrders(adapter);
    const post = (body: string, type = 'application/json') =>
      app.fetch('/api/v1/orders', { method: 'POST', body, headers: { 'Content-Type': type } });
    const malformed = await post('{"lines": [');
    expect(malformed.status).toBe(400);
    expect(await json(malformed)).toMatchObject({
      error: 'The request body is not valid JSON',
      error_code: 'BAD_REQUEST',
    });
    const large = await post(JSON.stringify({ note: 'x'.repeat(2_000_000) }));
    expect(large.status).toBe(413);
    expect(await json(large)).toMatchObject({ success: false, error_code: 'PAYLOAD_TOO_LARGE' });
    const badUrl = await app.fetch('/api/v1/orders/%FF');
    expect(badUrl.status).toBe(400);
    // Fastify's router refuses it before any hook of the app; the adapter's frameworkErrors is what answers there.
    if (adapter === 'express') expect(await json(badUrl)).toMatchObject({ success: false, error_code: 'BAD_REQUEST' });
  });

  it('does not let the headers of the answer that failed through', async () => {
    await using app = await bootOrders(adapter);
    const response = await app.fetch('/api/v1/orders/report');
    expect(response.status).toBe(409);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('cache-control')).toBeNull();
    expect(await json(response)).toMatchObject({ error_code: 'OUT_OF_STOCK' });
  });

  it('breaks off half an answer, and leaves a whole one alone', async () => {
    await using app = await bootOrders(adapter);
    const half = await app.fetch('/api/v1/orders/half');
    await expect(half.text()).rejects.toThrow();
    const whole = await app.fetch('/api/v1/orders/whole');
    expect(await json(whole)).toEqual({ whole: true });
  });

  it('writes nothing to a caller who has gone, and does not take that for a fault', async () => {
    const caller = new AbortController();
    await using app = await bootOrders(
      adapter,
      {},
      {
        setUp: created =>
          created.use((request: any, _response: any, next: (error?: unknown) => void) => {
            if (!request.headers['x-wait']) return next();
            request.socket.once('close', () => next(new DOMException('gone', 'AbortError')));
            return caller.abort();
          }),
      },
    );
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    try {
      const request = app.fetch('/api/v1/orders', { headers: { 'X-Wait': '1' }, signal: caller.signal });
      await expect(request).rejects.toThrow();
      await eventually(async () => expect((await app.fetch('/api/v1/orders')).status).toBe(200));
      expect(logged).not.toHaveBeenCalled();
    } finally {
      logged.mockRestore();
    }
  });
});
