import { gzipSync } from 'node:zlib';
import { ContextModule } from '@core-infra/context';
import { DatabaseModule, DataSource, Transactional, Transactions } from '@core-infra/database';
import { HttpModule } from '@core-infra/http';
import { RequestContext } from '@core-infra/kernel';
import { bootHttp, eventually, httpAdapters, type HttpApp, usePostgres } from '@core-infra/testing';
import { Body, Controller, Header, HttpException, Post, StreamableFile } from '@nestjs/common';
import { MessagingModule } from '../../src/index.js';
import { IdempotencyKey, messagingMigrations, OutboxModule } from '../../src/outbox/index.js';

const postgres = usePostgres();

interface Order {
  readonly item: string;
  /** The status of a failure after the commit. */
  readonly fail?: number;
}

describe.each(httpAdapters)('effects of a request with an idempotency key on %s', adapter => {
  let app: HttpApp;
  let dataSource: DataSource;
  /** What the handler waits for, before it writes and after it has committed. */
  let before: Promise<void> | undefined;
  let after: Promise<void> | undefined;
  let hungUp: AbortSignal | undefined;
  let calls = 0;

  beforeAll(async () => {
    @Controller('orders')
    class Orders {
      constructor(
        private readonly database: DataSource,
        private readonly transactions: Transactions,
        private readonly context: RequestContext,
      ) {}

      @Post()
      @IdempotencyKey()
      async place(@Body() { item, fail }: Order): Promise<object> {
        calls += 1;
        await this.transactions.run(() => this.write(item));
        hungUp = this.context.current!.signal;
        await after;
        if (fail) throw new HttpException('broken', fail);
        return { item };
      }

      @Post('whole')
      @IdempotencyKey()
      @Transactional()
      async placeWhole(@Body() { item, fail }: Order): Promise<object> {
        calls += 1;
        await this.write(item);
        if (fail) throw new HttpException('broken', fail);
        return { item };
      }

      @Post('elsewhere')
      @IdempotencyKey()
      elsewhere(@Body() { item }: Order): object {
        calls += 1;
        return { item };
      }

      @Post('packed')
      @IdempotencyKey()
      @Header('content-encoding', 'gzip')
      @Header('content-type', 'text/plain')
      packed(): StreamableFile {
        calls += 1;
        return new StreamableFile(gzipSync(`call ${calls}`));
      }

      private async write(item: string): Promise<void> {
        await before;
        await this.database.query('INSERT INTO effects VALUES ($1)', [item]);
      }
    }
    class OrdersModule {}
    app = await bootHttp(adapter, [
      ContextModule.forRoot(),
      HttpModule.forRoot(),
      DatabaseModule.forRoot({ dsn: postgres.url, migrations: { classes: messagingMigrations, atBoot: true } }),
      MessagingModule.forRoot(),
      OutboxModule.forRoot(),
      { module: OrdersModule, controllers: [Orders] },
    ]);
    dataSource = app.get(DataSource);
    await dataSource.query('CREATE TABLE IF NOT EXISTS effects (item text)');
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    before = undefined;
    after = undefined;
    calls = 0;
    await dataSource.query('TRUNCATE messaging_idempotency_keys, effects');
  });

  const post = async (path: string, body: Order, init: RequestInit = {}) => {
    const response = await app.fetch(path, {
      method: 'POST',
      ...init,
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k', ...init.headers },
      body: JSON.stringify(body),
    });
    const { status, headers } = response;
    return { status, headers, text: await response.text() };
  };
  const codeOf = ({ text }: { text: string }): unknown => (JSON.parse(text) as { error_code?: string }).error_code;
  const effects = async (): Promise<string[]> =>
    (await dataSource.query<{ item: string }[]>('SELECT item FROM effects')).map(({ item }) => item);
  const endLease = (): Promise<unknown> =>
    dataSource.query(`UPDATE messaging_idempotency_keys SET locked_until = now() - interval '1 second'`);
  const tea = { item: 'tea' };

  it('do not come again when a process dies between the commit and the answer: the key knows that they are there', async () => {
    const gate = Promise.withResolvers<void>();
    after = gate.promise;
    const first = post('/orders', tea);
    await eventually(async () => expect(await effects()).toEqual(['tea']));
    const meanwhile = await post('/orders', tea);
    expect([meanwhile.status, codeOf(meanwhile)]).toEqual([409, 'INFRA_IDEMPOTENCY_KEY_BUSY']);
    await endLease();
    const again = await post('/orders', tea);
    expect([again.status, codeOf(again)]).toEqual([409, 'INFRA_IDEMPOTENCY_ANSWER_NOT_KEPT']);
    expect((await post('/orders', { item: 'coffee' })).status).toBe(422);
    // It was only slow: its answer is kept all the same.
    gate.resolve();
    expect((await first).status).toBe(201);
    expect(await post('/orders', tea)).toMatchObject({ status: 201, text: '{"item":"tea"}' });
    expect([await effects(), calls]).toEqual([['tea'], 1]);
  });

  it('are rolled back where another has taken over, since the first took longer than its lease', async () => {
    const gate = Promise.withResolvers<void>();
    before = gate.promise;
    const first = post('/orders', tea);
    await eventually(() => expect(calls).toBe(1));
    before = undefined;
    await endLease();
    expect((await post('/orders', tea)).status).toBe(201);
    gate.resolve();
    const late = await first;
    expect([late.status, codeOf(late)]).toEqual([409, 'INFRA_IDEMPOTENCY_KEY_BUSY']);
    expect([await effects(), calls]).toEqual([['tea'], 2]);
    expect(await post('/orders', tea)).toMatchObject({ status: 201, text: '{"item":"tea"}' });
  });

  it('make a failure after their commit an answer that is kept, and one that rolled them back none', async () => {
    const failed = await post('/orders', { ...tea, fail: 503 });
    const again = await post('/orders', { ...tea, fail: 503 });
    expect([failed.status, again.status, again.text]).toEqual([503, 503, failed.text]);
    expect([await effects(), calls]).toEqual([['tea'], 1]);
    for (const _ of [1, 2]) expect((await post('/orders/whole', { ...tea, fail: 503 })).status).toBe(503);
    expect([await effects(), calls]).toEqual([['tea'], 3]);
  });

  it('stay the only ones when the answer cannot be written down; without any the request is handled again', async () => {
    await dataSource.query(
      `CREATE OR REPLACE FUNCTION refuse_answers() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no answers'; END $$`,
    );
    await dataSource.query(
      'CREATE TRIGGER refuse_answers BEFORE UPDATE ON messaging_idempotency_keys FOR EACH ROW WHEN (new.status > 0) EXECUTE FUNCTION refuse_answers()',
    );
    try {
      expect((await post('/orders/whole', tea)).status).toBe(201);
      expect((await post('/orders/elsewhere', tea)).status).toBe(201);
      expect(codeOf(await post('/orders/whole', tea))).toBe('INFRA_IDEMPOTENCY_KEY_BUSY');
      await endLease();
      expect(codeOf(await post('/orders/whole', tea))).toBe('INFRA_IDEMPOTENCY_ANSWER_NOT_KEPT');
      expect((await post('/orders/elsewhere', tea)).status).toBe(201);
      expect([await effects(), calls]).toEqual([['tea'], 3]);
    } finally {
      await dataSource.query('DROP TRIGGER refuse_answers ON messaging_idempotency_keys');
    }
  });

  it('are answered for to a caller who hung up and comes again', async () => {
    const gate = Promise.withResolvers<void>();
    after = gate.promise;
    const caller = new AbortController();
    const first = post('/orders', tea, { signal: caller.signal }).catch((error: Error) => error.name);
    await eventually(async () => expect(await effects()).toEqual(['tea']));
    caller.abort();
    expect(await first).toBe('AbortError');
    await eventually(() => expect(hungUp?.aborted).toBe(true));
    gate.resolve();
    await eventually(async () =>
      expect(await post('/orders', tea)).toMatchObject({ status: 201, text: '{"item":"tea"}' }),
    );
    expect([await effects(), calls]).toEqual([['tea'], 1]);
  });

  it('have an encoded answer repeated as it was, or decoded for who cannot read that', async () => {
    const first = await post('/orders/packed', tea);
    const again = await post('/orders/packed', tea);
    expect([first.text, again.text]).toEqual(['call 1', 'call 1']);
    expect(again.headers.get('content-encoding')).toBe('gzip');
    for (const accepted of ['identity', 'br, gzip;q=0', 'br, *;q=0']) {
      const plain = await post('/orders/packed', tea, { headers: { 'accept-encoding': accepted } });
      expect([plain.text, plain.headers.get('content-encoding')]).toEqual(['call 1', null]);
    }
    for (const accepted of ['GZIP', '*', 'br, *;q=0.1'])
      expect(
        (await post('/orders/packed', tea, { headers: { 'accept-encoding': accepted } })).headers.get(
          'content-encoding',
        ),
      ).toBe('gzip');
    expect(calls).toBe(1);
  });
});
