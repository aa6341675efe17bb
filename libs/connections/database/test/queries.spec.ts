import { Logger } from '@nestjs/common';
import { operations, type Operation } from '@core-infra/kernel';
import {
  DatabaseModule,
  DataSource,
  type DatabaseOptions,
  poolStats,
  QueryCancelledError,
  QueryDeadlineError,
  Transactions,
} from '@core-infra/database';
import {
  bootInfra,
  eventually,
  type InfraApp,
  RecordingLogger,
  uniqueName,
  usePostgres,
  useTcpProxy,
} from '@core-infra/testing';
import { specContext, SpecContextModule } from './fixtures/spec-context.js';

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a query in a request', () => {
  const server = usePostgres();
  let app: InfraApp;
  let ds: DataSource;
  const name = uniqueName('spec');

  beforeAll(async () => {
    app = await bootInfra(
      SpecContextModule,
      DatabaseModule.forRoot({ url: server.url, pool: { max: 3 }, applicationName: name }),
    );
    ds = app.get(DataSource);
  });
  afterAll(() => app.close());

  const running = async () =>
    ds.query(
      `SELECT query FROM pg_stat_activity WHERE application_name = $1 AND state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()`,
      [name],
    );

  it('is cancelled on the server when the caller hangs up', async () => {
    const hangUp = new AbortController();
    const query = specContext.run({ signal: hangUp.signal }, () => failure(ds.query('SELECT pg_sleep(60)')));
    await eventually(async () => expect(await running()).toHaveLength(1));
    hangUp.abort();
    expect(await query).toBeInstanceOf(QueryCancelledError);
    expect(await running()).toEqual([]);
    expect(poolStats(ds)).toMatchObject({ active: 0 });
  });

  it('is cancelled when the deadline passes, and not begun after it', async () => {
    const late = specContext.run({ deadline: Date.now() + 50 }, () => failure(ds.query('SELECT pg_sleep(60)')));
    expect(await late).toBeInstanceOf(QueryDeadlineError);
    expect(await running()).toEqual([]);
    const over = specContext.run({ deadline: Date.now() - 1 }, () => failure(ds.query('SELECT 1')));
    expect(await over).toMatchObject({ code: 'INFRA_DATABASE_DEADLINE', status: 504 });
  });

  it('rolls its transaction back, and leaves the connection fit for the next', async () => {
    await ds.query('CREATE TABLE IF NOT EXISTS cancelled (id int)');
    const hangUp = new AbortController();
    const work = specContext.run({ signal: hangUp.signal }, () =>
      failure(
        app.get(Transactions).run(async () => {
          await ds.query('INSERT INTO cancelled VALUES (1)');
          await ds.query('SELECT pg_sleep(60)');
        }),
      ),
    );
    await eventually(async () => expect(await running()).toHaveLength(1));
    hangUp.abort();
    expect(await work).toBeInstanceOf(QueryCancelledError);
    expect(await ds.query('SELECT * FROM cancelled')).toEqual([]);
    expect(await Promise.all(Array.from({ length: 20 }, (_, n) => ds.query('SELECT $1::int AS n', [n])))).toHaveLength(
      20,
    );
  });

  it('that waits behind another of its transaction is taken out of the queue', async () => {
    const hangUp = new AbortController();
    const work = specContext.run({ signal: hangUp.signal }, () =>
      app
        .get(Transactions)
        .run(async () => Promise.all([failure(ds.query('SELECT pg_sleep(60)')), failure(ds.query('SELECT 1'))]))
        .catch((error: unknown) => error),
    );
    await eventually(async () => expect(await running()).toHaveLength(1));
    hangUp.abort();
    expect(await work).toBeInstanceOf(Error);
    expect(poolStats(ds)).toMatchObject({ active: 0 });
  });

  it('stops waiting for a connection of a full pool', async () => {
    const runners = [1, 2, 3].map(() => ds.createQueryRunner());
    await Promise.all(runners.map(runner => runner.connect()));
    const hangUp = new AbortController();
    const waiting = specContext.run({ signal: hangUp.signal }, () => failure(ds.query('SELECT 1')));
    await eventually(() => expect(poolStats(ds).waiting).toBe(1));
    hangUp.abort();
    expect(await waiting).toBeInstanceOf(QueryCancelledError);
    await Promise.all(runners.map(runner => runner.release()));
    expect(await ds.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await eventually(() => expect(poolStats(ds)).toMatchObject({ active: 0, waiting: 0 }));
  });

  it('ends in time when the network swallows the request to cancel', async () => {
    await using far = await bootInfra(SpecContextModule, DatabaseModule.forRoot({ url: proxy.url }));
    const hangUp = new AbortController();
    const query = specContext.run({ signal: hangUp.signal }, () =>
      failure(far.get(DataSource).query('SELECT pg_sleep(5)')),
    );
    await eventually(() => expect(poolStats(far.get(DataSource)).active).toBe(1));
    proxy.hang();
    hangUp.abort();
    expect(await query).toBeInstanceOf(QueryCancelledError);
    proxy.dropConnections();
    await proxy.resume();
    expect(await far.get(DataSource).query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
  const proxy = useTcpProxy(() => server.url);
});

describe('what is told of a query', () => {
  const server = usePostgres();
  const logger = new RecordingLogger();
  beforeEach(() => {
    logger.records.length = 0;
    Logger.overrideLogger(logger);
  });
  afterEach(() => Logger.overrideLogger(false));

  async function boot(options: DatabaseOptions) {
    const app = await bootInfra(DatabaseModule.forRoot({ url: server.url, ...options }));
    Logger.overrideLogger(logger);
    return app;
  }

  it('a slow one is logged, its parameters and literals masked', async () => {
    await using app = await boot({ slowQueryMs: 10 });
    await app.get(DataSource).query(`SELECT pg_sleep(0.03), 'literal', $1::text, $2::int`, ['hunter2', 42]);
    await app.get(DataSource).query('SELECT 1');
    const slow = logger.matching(/^Slow statement/);
    expect(slow).toHaveLength(1);
    expect(slow[0]).toMatchObject({
      level: 'warn',
      fields: {
        sql: 'SELECT pg_sleep(?), ?, $1::text, $2::int',
        parameters: ['string(7)', 'number'],
        thresholdMs: 10,
      },
    });
    expect(JSON.stringify(logger.records)).not.toMatch(/hunter2|literal/);
  });

  it('echo writes each statement at debug, masked', async () => {
    await using app = await boot({ echo: true });
    await app.get(DataSource).query('SELECT $1::text AS secret', ['hunter2']);
    expect(logger.matching(/AS secret/)).toMatchObject([{ level: 'debug', fields: { parameters: ['string(7)'] } }]);
    expect(JSON.stringify(logger.records)).not.toContain('hunter2');
  });

  it('each goes over the channel infra:database, with table and kind, without values', async () => {
    await using app = await boot({});
    const seen: (Operation & { error?: unknown })[] = [];
    const channel = operations('database');
    const subscriber = {
      start: () => undefined,
      end: () => undefined,
      asyncStart: () => undefined,
      asyncEnd: (operation: Operation) => void seen.push(operation),
      error: () => undefined,
    };
    channel.subscribe(subscriber);
    try {
      const ds = app.get(DataSource);
      await ds.query('CREATE TABLE told (id int)');
      await ds.query('INSERT INTO "told" VALUES ($1)', [7]);
      await failure(ds.query('SELECT * FROM nowhere'));
    } finally {
      channel.unsubscribe(subscriber);
    }
    expect(seen).toEqual([
      expect.objectContaining({ component: 'database', connection: 'database', operation: 'CREATE', resource: 'told' }),
      expect.objectContaining({ operation: 'INSERT', resource: 'told' }),
      expect.objectContaining({ operation: 'SELECT', resource: 'nowhere', error: expect.any(Error) }),
    ]);
  });
});
