import { DatabaseModule, DataSource } from '@core-infra/database';
import { MessagingModule } from '@core-infra/messaging';
import { messagingMigrations, OutboxModule, OutboxRelay } from '@core-infra/messaging/outbox';
import { startPostgres } from '@core-infra/testing';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Pool } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase, Effort, Variant } from '../harness/bench-case.js';
import { fillOutbox } from '../servers/fill-outbox.js';

const BATCH = 1_000;

const select = `SELECT seq, id, kind, topic, key, headers, body FROM messaging_outbox ORDER BY seq LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`;

type Drain = () => Promise<void>;

function draining(name: string, pool: Pool, rows: number, drain: Drain): Variant {
  return {
    name,
    async measure() {
      await pool.query(fillOutbox(rows));
      await pool.query('VACUUM ANALYZE messaging_outbox');
      const start = performance.now();
      await drain();
      return { perSecond: (rows * 1_000) / (performance.now() - start) };
    },
  };
}

export const outboxRelay: BenchCase = {
  name: 'outbox-relay',
  about:
    'Events that wait in the outbox of a PostgreSQL, relayed to a broker that takes them at once. *Floor*: the same rows read and deleted in one transaction ' +
    'with SKIP LOCKED, nothing else. *Row by row*: claimed together, deleted one by one, as common outboxes do.',
  rounds: 5,
  metrics: [{ key: 'perSecond', label: 'Events per second', unit: '/s', digits: 0 }],
  goals: [
    { metric: 'perSecond', variant: 'core-infra', atLeast: 50_000 },
    { metric: 'perSecond', variant: 'core-infra', against: { variant: 'floor', as: 'ratio' }, atLeast: 0.4 },
    { metric: 'perSecond', variant: 'core-infra', against: { variant: 'row by row', as: 'ratio' }, atLeast: 10 },
  ],
  async open({ quick }: Effort) {
    const server = await startPostgres();
    @Module({
      imports: [
        DatabaseModule.forRoot({ dsn: server.url, migrations: { classes: messagingMigrations, atBoot: true } }),
        // Nobody subscribes, so that memory is a broker that takes everything at once.
        MessagingModule.forRoot({ driver: 'memory' }),
        OutboxModule.forRoot({ batchSize: BATCH }),
      ],
    })
    class RelayModule {}
    const app = await NestFactory.createApplicationContext(RelayModule, { logger: false, abortOnError: false });
    const relay = app.get(OutboxRelay);
    const dataSource = app.get(DataSource);
    const pool = new Pool({ connectionString: server.url });
    const isEmpty = async (): Promise<boolean> =>
      (await dataSource.query<unknown[]>('SELECT 1 FROM messaging_outbox LIMIT 1')).length === 0;
    const rows = quick ? 10_000 : 100_000;
    return {
      variants: [
        draining('core-infra', pool, rows, async () => {
          relay.wake();
          while (!(await isEmpty())) await sleep(2);
        }),
        draining('floor', pool, rows, async () => {
          const client = await pool.connect();
          for (;;) {
            await client.query('BEGIN');
            const found = await client.query<{ seq: string }>(select);
            await client.query('DELETE FROM messaging_outbox WHERE seq = ANY($1::bigint[])', [
              found.rows.map(({ seq }) => seq),
            ]);
            await client.query('COMMIT');
            if (found.rows.length === 0) break;
          }
          client.release();
        }),
        draining('row by row', pool, rows / 10, async () => {
          const client = await pool.connect();
          for (;;) {
            const found = await client.query<{ seq: string }>(select.replace(' FOR UPDATE SKIP LOCKED', ''));
            for (const { seq } of found.rows) await client.query('DELETE FROM messaging_outbox WHERE seq = $1', [seq]);
            if (found.rows.length === 0) break;
          }
          client.release();
        }),
      ],
      async close() {
        await pool.end();
        await app.close();
        await server.dispose();
      },
    };
  },
};
