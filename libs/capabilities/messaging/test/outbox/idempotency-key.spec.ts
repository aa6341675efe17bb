import { ContextModule } from '@core-infra/context';
import { DatabaseModule, DataSource } from '@core-infra/database';
import { HttpModule } from '@core-infra/http';
import { RequestContext } from '@core-infra/kernel';
import { bootHttp, eventually, type HttpAdapter, httpAdapters, type HttpApp, usePostgres } from '@core-infra/testing';
import {
  Body,
  type CanActivate,
  ConflictException,
  Controller,
  type ExecutionContext,
  Header,
  HttpCode,
  HttpException,
  Injectable,
  Param,
  Post,
  Res,
  UseGuards,
} from '@nestjs/common';
import { MessagingModule } from '../../src/index.js';
import { IdempotencyKey, messagingMigrations, OutboxModule, type OutboxOptions } from '../../src/outbox/index.js';

const postgres = usePostgres();

@Injectable()
class UserGuard implements CanActivate {
  constructor(private readonly context: RequestContext) {}

  canActivate(call: ExecutionContext): boolean {
    const { headers } = call.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    this.context.set({ userId: headers['x-user'] });
    return true;
  }
}

describe.each(httpAdapters)('idempotency-key on %s', adapter => {
  let calls: string[];
  let gate: PromiseWithResolvers<void> | undefined;
  let app: HttpApp;

  const boot = (adapterName: HttpAdapter, outbox: OutboxOptions = {}): Promise<HttpApp> => {
    @Controller('orders')
    @UseGuards(UserGuard)
    class Orders {
      @Post()
      @IdempotencyKey()
      @Header('x-fixed', 'yes')
      async place(
        @Body() body: { item?: string; fail?: number },
        @Res({ passthrough: true }) response: { header(name: string, value: string): void },
      ): Promise<object> {
        calls.push(body.item ?? '');
        await gate?.promise;
        if (body.fail === 409) throw new ConflictException('sold out');
        if (body.fail) throw new HttpException('broken', body.fail);
        response.header('location', `/orders/${calls.length}`);
        response.header('set-cookie', 'secret=1');
        return { id: calls.length, item: body.item };
      }

      @Post(':id/cancel')
      @HttpCode(204)
      @IdempotencyKey({ required: false })
      cancel(@Param('id') id: string): void {
        calls.push(`cancel ${id}`);
      }

      @Post('report')
      @IdempotencyKey()
      report(): object {
        calls.push('report');
        return { text: 'x'.repeat(5_000) };
      }
    }
    class OrdersModule {}
    return bootHttp(adapterName, [
      ContextModule.forRoot(),
      HttpModule.forRoot(),
      DatabaseModule.forRoot({ dsn: postgres.url, migrations: { classes: messagingMigrations, atBoot: true } }),
      MessagingModule.forRoot(),
      OutboxModule.forRoot(outbox),
      { module: OrdersModule, controllers: [Orders] },
    ]);
  };
  beforeAll(async () => {
    app = await boot(adapter, { idempotency: { maxAnswerBytes: 4_000 } });
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    calls = [];
    gate = undefined;
    await app.get(DataSource).query('TRUNCATE messaging_idempotency_keys');
  });

  const post = async (path: string, body: unknown, key?: string, user = 'ann') => {
    const response = await app.fetch(path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-user': user,
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      body: JSON.stringify(body),
    });
    const { status, headers } = response;
    return { status, headers, text: await response.text() };
  };
  const codeOf = ({ text }: { text: string }): unknown => (JSON.parse(text) as { error_code?: string }).error_code;

  it('gives the stored answer for the same key and body, with its status and headers', async () => {
    const first = await post('/orders', { item: 'tea' }, '"k1"');
    expect(first).toMatchObject({ status: 201, text: '{"id":1,"item":"tea"}' });
    const second = await post('/orders', { item: 'tea' }, '"k1"');
    expect([second.status, second.text, calls]).toEqual([201, first.text, ['tea']]);
    for (const name of ['location', 'content-type', 'x-fixed'])
      expect([name, second.headers.get(name)]).toEqual([name, first.headers.get(name)]);
    expect(second.headers.get('location')).toBe('/orders/1');
    expect([first.headers.get('set-cookie'), second.headers.get('set-cookie')]).toEqual(['secret=1', null]);
    // As many clients write it.
    expect((await post('/orders', { item: 'tea' }, 'k1')).text).toBe(first.text);
    expect((await post('/orders', { item: 'tea' }, 'k2')).text).toBe('{"id":2,"item":"tea"}');
  });

  it('keeps an answer without a body, and one that refuses', async () => {
    for (const _ of [1, 2]) expect(await post('/orders/7/cancel', {}, 'k')).toMatchObject({ status: 204, text: '' });
    const refused = await post('/orders', { item: 'tea', fail: 409 }, 'k');
    const again = await post('/orders', { item: 'tea', fail: 409 }, 'k');
    expect([refused.status, again.status, again.text]).toEqual([409, 409, refused.text]);
    expect(calls).toEqual(['cancel 7', 'tea']);
  });

  it('refuses the key of another request', async () => {
    await post('/orders', { item: 'tea' }, 'k');
    const other = await post('/orders', { item: 'coffee' }, 'k');
    expect([other.status, codeOf(other), calls]).toEqual([422, 'INFRA_IDEMPOTENCY_KEY_REUSED', ['tea']]);
  });

  it('refuses what comes while the first is under way', async () => {
    gate = Promise.withResolvers();
    const first = post('/orders', { item: 'tea' }, 'k');
    await eventually(() => expect(calls).toHaveLength(1));
    const second = await post('/orders', { item: 'tea' }, 'k');
    expect([second.status, codeOf(second)]).toEqual([409, 'INFRA_IDEMPOTENCY_KEY_BUSY']);
    gate.resolve();
    expect((await first).status).toBe(201);
    expect((await post('/orders', { item: 'tea' }, 'k')).text).toBe((await first).text);
    expect(calls).toEqual(['tea']);
  });

  it('lets one of many that come at once through', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => post('/orders', { item: 'tea' }, 'k')));
    expect(calls).toEqual(['tea']);
    expect(all.filter(({ status }) => status !== 201 && status !== 409)).toEqual([]);
  });

  it('has a failure of its own tried again', async () => {
    for (const _ of [1, 2])
      expect(await post('/orders', { item: 'tea', fail: 503 }, 'k')).toMatchObject({ status: 503 });
    expect(calls).toEqual(['tea', 'tea']);
  });

  it('takes keys of two users and of two routes for different ones', async () => {
    await post('/orders', { item: 'tea' }, 'k', 'ann');
    await post('/orders', { item: 'coffee' }, 'k', 'bob');
    await post('/orders/1/cancel', {}, 'k', 'ann');
    expect(calls).toEqual(['tea', 'coffee', 'cancel 1']);
  });

  it('needs a key where it says so, and one that can be read', async () => {
    for (const key of [undefined, '', '""', '"open', 'a b', 'a,b', 'x'.repeat(256)]) {
      const answer = await post('/orders', { item: 'tea' }, key);
      expect([key, answer.status, codeOf(answer)]).toEqual([key, 400, 'INFRA_IDEMPOTENCY_KEY_REQUIRED']);
    }
    expect(calls).toEqual([]);
    for (const _ of [1, 2]) expect((await post('/orders/1/cancel', {})).status).toBe(204);
    expect(calls).toHaveLength(2);
  });

  it('gives an answer whole that is too large to be kept, and does nothing twice', async () => {
    const first = await post('/orders/report', {}, 'k');
    expect([first.status, first.text.length]).toEqual([201, 5_011]);
    await eventually(async () => {
      const second = await post('/orders/report', {}, 'k');
      expect([second.status, codeOf(second)]).toEqual([409, 'INFRA_IDEMPOTENCY_ANSWER_NOT_KEPT']);
    });
    expect(calls).toEqual(['report']);
  });

  it('takes over from a process that died, once its time is over, and forgets after a while', async () => {
    await post('/orders', { item: 'tea' }, 'k');
    const dataSource = app.get(DataSource);
    await dataSource.query(
      `UPDATE messaging_idempotency_keys SET status = NULL, locked_until = now() + interval '1 minute'`,
    );
    expect((await post('/orders', { item: 'tea' }, 'k')).status).toBe(409);
    await dataSource.query(`UPDATE messaging_idempotency_keys SET locked_until = now() - interval '1 second'`);
    expect((await post('/orders', { item: 'coffee' }, 'k')).status).toBe(422);
    expect((await post('/orders', { item: 'tea' }, 'k')).text).toBe('{"id":2,"item":"tea"}');
    await dataSource.query(`UPDATE messaging_idempotency_keys SET created_at = now() - interval '25 hours'`);
    expect((await post('/orders', { item: 'coffee' }, 'k')).text).toBe('{"id":3,"item":"coffee"}');
  });
});
