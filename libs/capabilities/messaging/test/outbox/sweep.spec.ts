import { DatabaseModule, DataSource } from '@core-infra/database';
import { bootHttp, eventually, type HttpApp, usePostgres } from '@core-infra/testing';
import { MessagingModule } from '../../src/index.js';
import { messagingMigrations, OutboxModule } from '../../src/outbox/index.js';

const postgres = usePostgres();

describe('idempotency keys that are over', () => {
  let url: string;
  const boot = (): Promise<HttpApp> =>
    bootHttp('fastify', [
      DatabaseModule.forRoot({ dsn: url, migrations: { classes: messagingMigrations, atBoot: true } }),
      MessagingModule.forRoot(),
      OutboxModule.forRoot({ idempotency: { retentionMs: 3_600_000 } }),
    ]);
  /** One row for each age, in minutes. */
  const write = async (ages: readonly number[]): Promise<void> => {
    await using app = await boot();
    await app.get(DataSource).query(
      `INSERT INTO messaging_idempotency_keys (scope, fingerprint, owner, locked_until, created_at)
       SELECT sha256(age::text::bytea), '', gen_random_uuid(), now(), now() - age * interval '1 minute' FROM unnest($1::int[]) AS age`,
      [ages],
    );
  };
  const left = async (app: HttpApp): Promise<number> =>
    (await app.get(DataSource).query<unknown[]>('SELECT 1 FROM messaging_idempotency_keys')).length;
  beforeEach(async () => (url = await postgres.createDatabase()));

  it('are removed, and no others', async () => {
    await write([0, 10, 20, 30, 40, 50, 61, 70, 80, 90]);
    await using app = await boot();
    await eventually(async () => expect(await left(app)).toBe(6));
  });

  it('stay when they are taken again while they are being removed', async () => {
    await write([0]);
    await using other = await boot();
    const database = other.get(DataSource);
    await database.query(`UPDATE messaging_idempotency_keys SET created_at = now() - interval '2 hours'`);
    const runner = database.createQueryRunner();
    await runner.startTransaction();
    await runner.query('UPDATE messaging_idempotency_keys SET created_at = now()');
    await using app = await boot();
    const waits = async (): Promise<unknown[]> =>
      database.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%messaging_idempotency_keys%'`,
      );
    await eventually(async () => expect(await waits()).toHaveLength(1));
    await runner.commitTransaction();
    await runner.release();
    await eventually(async () => expect(await waits()).toEqual([]));
    expect(await left(app)).toBe(1);
  });
});
