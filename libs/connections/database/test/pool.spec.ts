import { Logger } from '@nestjs/common';
import { DatabaseModule, DataSource, poolStats, PoolExhaustedError } from '@core-infra/database';
import { bootInfra, eventually, RecordingLogger, usePostgres } from '@core-infra/testing';
import type { QueryRunner } from 'typeorm';

describe('the pool', () => {
  const server = usePostgres();
  const backends = async (ds: DataSource): Promise<number> => {
    const [row] = await ds.query<{ n: number }[]>(
      'SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1',
      ['pooled'],
    );
    return row!.n;
  };

  it('rejects in bounded time when it is full, naming its settings and its state', async () => {
    await using app = await bootInfra(
      DatabaseModule.forRoot({ url: server.url, pool: { max: 2, acquireTimeoutMs: 100 } }),
    );
    const ds = app.get(DataSource);
    const runners: QueryRunner[] = [ds.createQueryRunner(), ds.createQueryRunner()];
    await Promise.all(runners.map(runner => runner.connect()));
    expect(poolStats(ds)).toEqual({ active: 2, idle: 0, waiting: 0, max: 2 });
    const waiting = ds.query('SELECT 1');
    await eventually(() => expect(poolStats(ds).waiting).toBe(1));
    const error = await waiting.then(
      () => undefined,
      (reason: unknown) => reason as PoolExhaustedError,
    );
    expect(error).toBeInstanceOf(PoolExhaustedError);
    expect(error).toMatchObject({ status: 503, retryable: true, stats: { active: 2, idle: 0, max: 2 } });
    expect(error!.message).toMatch(/database\.pool\.max.*database\.pool\.acquireTimeoutMs/);
    await Promise.all(runners.map(runner => runner.release()));
    expect(await ds.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(poolStats(ds)).toEqual({ active: 0, idle: 2, waiting: 0, max: 2 });
  });

  it('opens `min` connections at the start and keeps them, and closes the others when they lie idle', async () => {
    await using app = await bootInfra(
      DatabaseModule.forRoot({
        url: server.url,
        applicationName: 'pooled',
        pool: { max: 6, min: 2, idleTimeoutMs: 20 },
      }),
    );
    const ds = app.get(DataSource);
    expect(poolStats(ds)).toMatchObject({ idle: 2, active: 0 });
    await Promise.all(Array.from({ length: 6 }, () => ds.query('SELECT pg_sleep(0.05)')));
    await eventually(() => expect(poolStats(ds).idle).toBe(2));
    expect(await backends(ds)).toBe(2);
  });

  it('replaces connections that have grown old', async () => {
    await using app = await bootInfra(DatabaseModule.forRoot({ url: server.url, pool: { max: 1, maxLifetimeMs: 30 } }));
    const ds = app.get(DataSource);
    const pid = async () => (await ds.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid'))[0]!.pid;
    const first = await pid();
    await eventually(async () => expect(await pid()).not.toBe(first));
  });

  it('logs once who keeps a connection for too long, with the place that took it', async () => {
    await using app = await bootInfra(DatabaseModule.forRoot({ url: server.url, clientHeldWarningMs: 20 }));
    const logger = new RecordingLogger();
    Logger.overrideLogger(logger);
    const ds = app.get(DataSource);
    async function takesAndKeeps(): Promise<QueryRunner> {
      const runner = ds.createQueryRunner();
      await runner.startTransaction();
      return runner;
    }
    const runner = await takesAndKeeps();
    const found = () => logger.matching(/out of the pool for more than 20 ms/);
    await eventually(() => expect(found()).toHaveLength(1));
    expect(found()[0]!.msg).toContain('takesAndKeeps');
    expect(found()[0]).toMatchObject({ level: 'warn', context: 'database', fields: { active: 1 } });
    await runner.rollbackTransaction();
    await runner.release();
    await ds.query('SELECT 1');
    expect(found()).toHaveLength(1);
    Logger.overrideLogger(false);
  });

  it('gives the server its limits and its name', async () => {
    await using app = await bootInfra(
      DatabaseModule.forRoot({
        url: server.url,
        statementTimeoutMs: 1_234,
        lockTimeoutMs: 567,
        idleInTransactionTimeoutMs: 89_000,
        applicationName: 'named',
        sessionOptions: '-c search_path=other',
      }),
    );
    const show = async (name: string) =>
      Object.values((await app.get(DataSource).query<[object]>(`SHOW ${name}`))[0])[0];
    expect(await show('statement_timeout')).toBe('1234ms');
    expect(await show('lock_timeout')).toBe('567ms');
    expect(await show('idle_in_transaction_session_timeout')).toBe('89s');
    expect(await show('application_name')).toBe('named');
    expect(await show('search_path')).toBe('other');
  });

  it('closes while something still holds a connection, cutting it', async () => {
    const app = await bootInfra(
      DatabaseModule.forRoot({ url: server.url, applicationName: 'pooled', shutdownTimeoutMs: 200 }),
    );
    const ds = app.get(DataSource);
    const runner = ds.createQueryRunner();
    const stuck = runner.query('SELECT pg_sleep(60)').catch((error: unknown) => error);
    await eventually(() => expect(poolStats(ds).active).toBe(1));
    await app.close();
    expect(await stuck).toBeInstanceOf(Error);
    expect(ds.isInitialized).toBe(false);
  });
});
