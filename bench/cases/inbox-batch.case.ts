import type { DataSource } from '@core-infra/database';
import { startPostgres } from '@core-infra/testing';
import { Pool } from 'pg';
import type { BenchCase, Variant } from '../harness/bench-case.js';
import { bootBus, type Step, stepped } from '../servers/bus-app.js';

const BATCH = 100;
const insert = 'INSERT INTO bench_effects SELECT * FROM unnest($1::text[], $2::int[])';

export const inboxBatch: BenchCase = {
  name: 'inbox-batch',
  about:
    `Events handled in batches of ${BATCH}, each batch with one INSERT of its effects. *core-infra*: a handler with the inbox, from publishing (memory driver) to the commit. ` +
    '*By hand*: the same statements, one transaction for each batch, with an INSERT … ON CONFLICT of the ids, and nothing else.',
  rounds: 5,
  metrics: [{ key: 'perSecond', label: 'Events per second', unit: '/s', digits: 0 }],
  goals: [{ metric: 'perSecond', variant: 'core-infra', against: { variant: 'by hand', as: 'ratio' }, atLeast: 0.5 }],
  async open({ quick }) {
    const server = await startPostgres();
    const pool = new Pool({ connectionString: server.url, max: 8 });
    await pool.query('CREATE TABLE bench_effects (key text, at int); CREATE TABLE bench_inbox (id text PRIMARY KEY)');
    let handled = 0;
    const site: { database?: DataSource } = {};
    const { app, bus, dataSource } = await bootBus(server.url, {
      messaging: { consumers: { maxInFlight: 5_000 } },
      handler: {
        options: { concurrency: 8, batch: { size: BATCH, waitMs: 5 } },
        handle: async data => {
          const steps = data as Step[];
          await site.database!.query(insert, [steps.map(({ key }) => key), steps.map(({ at }) => at)]);
          handled += steps.length;
        },
      },
    });
    site.database = dataSource;
    const total = quick ? 4_000 : 40_000;
    const steps = Array.from({ length: total }, (_, at) => ({ key: `key-${at}`, at }));
    const timed = (name: string, work: () => Promise<void>): Variant => ({
      name,
      async measure() {
        await pool.query('TRUNCATE bench_effects, bench_inbox, messaging_inbox');
        const start = performance.now();
        await work();
        return { perSecond: (total * 1_000) / (performance.now() - start) };
      },
    });
    let round = 0;
    return {
      variants: [
        timed('core-infra', async () => {
          handled = 0;
          for (let from = 0; from < total; from += 1_000)
            await bus.publishBatch(steps.slice(from, from + 1_000).map(step => stepped.of(step)));
          while (handled < total) await new Promise(resolve => setTimeout(resolve, 2));
        }),
        timed('by hand', async () => {
          round += 1;
          const batches = Array.from({ length: total / BATCH }, (_, at) => steps.slice(at * BATCH, (at + 1) * BATCH));
          const worker = async (): Promise<void> => {
            for (let batch = batches.pop(); batch; batch = batches.pop()) {
              const client = await pool.connect();
              await client.query('BEGIN');
              const ids = batch.map(({ at }) => `${round}-${at}`);
              await client.query(
                'INSERT INTO bench_inbox SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING RETURNING id',
                [ids],
              );
              await client.query(insert, [batch.map(({ key }) => key), batch.map(({ at }) => at)]);
              await client.query('COMMIT');
              client.release();
            }
          };
          await Promise.all(Array.from({ length: 8 }, worker));
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
