import { Body, Controller, Get, HttpCode, Logger, Post } from '@nestjs/common';
import { httpAdapters } from '@core-infra/testing';
import { RateLimit } from '../../src/index.js';
import { bootLimited, statuses } from './support.js';

const minute = 60_000;
const query = (request: { query?: unknown } | undefined) => request!.query as { size: string };

@Controller()
class FunctionsController {
  @Post('login')
  @HttpCode(200)
  @RateLimit({ limit: 2, windowMs: minute, by: ({ request }) => (request!.body as { email: string }).email })
  login(@Body() body: unknown): string {
    return typeof body;
  }

  @Get('cost')
  @RateLimit({ limit: 3, windowMs: minute, cost: ({ request }) => Number(query(request).size) })
  cost(): string {
    return 'cost';
  }

  @Get('fails')
  @RateLimit({
    limit: 2,
    windowMs: minute,
    by: () => Promise.reject(new Error('no tenant')),
    cost: () => {
      throw new Error('no size');
    },
    skipIf: () => Promise.reject(new Error('no probe')),
  })
  fails(): string {
    return 'fails';
  }
}

const send = (body?: string): RequestInit => ({
  method: 'POST',
  ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
});

describe.each(httpAdapters)('what functions of limits make of a request on %s', adapter => {
  it('names who is limited only where it is text or a number', async () => {
    await using app = await bootLimited(adapter, FunctionsController);
    expect(await statuses(app, '/login', 3, send('{"email":"a@example.com"}'))).toEqual([200, 200, 429]);
    expect(await statuses(app, '/login', 1, send('{"email":7}'))).toEqual([200]);
    // By address, all of them together.
    expect(await statuses(app, '/login', 1, send('{"email":{"toString":1,"valueOf":1}}'))).toEqual([200]);
    expect(await statuses(app, '/login', 1, send('{"email":["a@example.com"]}'))).toEqual([200]);
    expect(await statuses(app, '/login', 1, send('{"email":null}'))).toEqual([429]);
  });

  it('that fail is no failure of the request: it is counted, as one of nobody in particular, and the log says so once', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    try {
      await using app = await bootLimited(adapter, FunctionsController);
      expect(await statuses(app, '/fails', 3)).toEqual([200, 200, 429]);
      expect(errors.mock.calls).toEqual([
        [
          {
            msg: 'skipIf of the rate limit FunctionsController.fails failed, so the call is counted: Error: no probe',
            limit: 'FunctionsController.fails',
          },
        ],
      ]);
      errors.mockClear();
      expect(await statuses(app, '/login', 3, send())).toEqual([200, 200, 429]);
      expect(errors.mock.calls).toHaveLength(1);
      expect(JSON.stringify(errors.mock.calls)).toContain('the caller counts as one who is not known: TypeError');
    } finally {
      errors.mockRestore();
    }
  });

  it('lets nothing pass for a cost without end', async () => {
    await using app = await bootLimited(adapter, FunctionsController);
    expect(await statuses(app, '/cost?size=1e999', 2)).toEqual([429, 429]);
    expect(await statuses(app, '/cost?size=3', 2)).toEqual([200, 429]);
  });
});
