import { type DataSource, transactionsOf } from '@core-infra/database';
import { startPostgres } from '@core-infra/testing';
import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import type { BenchCase, Variant } from '../harness/bench-case.js';
import { bootBus, type Step, stepped } from '../servers/bus-app.js';

const BATCH = 100;
const CONCURRENCY = 8;
const insert = 'INSERT INTO bench_effects SELECT * FROM unnest($1::text[], $2::int[])';

export const inboxBatch: BenchCase = {
  name: 'inbox-batch',
  about:
    `Events that wait in a broker (driver memory), handled in batches of ${BATCH}, ${CONCURRENCY} at once, each with one INSERT of its effects. *core-infra*: a handler with the inbox, until the ` +
    'last commit. *By hand*: the same from an array of ids and JSON, one transaction for each batch, with an INSERT … ON CONFLICT of the ids, and nothing else: no keys in order, no check of the data, ' +
    'no retries, no record of when or for whom, so that nothing is ever forgotten.',
  rounds: 5,
  metrics: [
    { key: 'perSecond', label: 'Events per second', unit: '/s', digits: 0 },
    { key: 'cpuUs', label: 'CPU per event', unit: 'µs' },
  ],
  goals: [{ metric: 'perSecond', variant: 'core-infra', against: { variant: 'by hand', as: 'ratio' }, atLeast: 0.5 }],
  async open({ quick }) {
    const server = await startPostgres();
    const pool = new Pool({ connectionString: server.url, max: CONCURRENCY });
    await pool.query('CREATE TABLE bench_effects (key text, at int); CREATE TABLE bench_inbox (id text PRIMARY KEY)');
    const total = quick ? 4_000 : 40_000;
    const steps = Array.from({ length: total }, (_, at) => ({ key: `key-${at}`, at }));
    const site: { database?: DataSource; opened?: Promise<void>; committed?: (events: number) => void } = {};
    const { app, bus, dataSource } = await bootBus(server.url, {
      // Little more than what is handled at once, so that little is fetched before the time begins.
      messaging: { consumers: { maxInFlight: 2 * CONCURRENCY * BATCH } },
      handler: {
        options: { concurrency: CONCURRENCY, batch: { size: BATCH, waitMs: 5 } },
        handle: async data => {
          const batch = data as Step[];
          await site.opened;
          await site.database!.query(insert, [batch.map(({ key }) => key), batch.map(({ at }) => at)]);
          transactionsOf(site.database!).onCommit(() => site.committed!(batch.length));
        },
      },
    });
    site.database = dataSource;
    const timed = async (work: () => Promise<unknown>): Promise<{ perSecond: number; cpuUs: number }> => {
      const before = process.cpuUsage();
      const start = performance.now();
      await work();
      const { user, system } = process.cpuUsage(before);
      return { perSecond: (total * 1_000) / (performance.now() - start), cpuUs: (user + system) / total };
    };
    const variant = (name: string, measure: Variant['measure']): Variant => ({
      name,
      async measure() {
        await pool.query('TRUNCATE bench_effects, bench_inbox, messaging_inbox');
        return measure();
      },
    });
    return {
      variants: [
        variant('core-infra', async () => {
          let handled = 0;
          const done = new Promise<void>(resolve => {
            site.committed = events => {
              handled += events;
              if (handled === total) resolve();
            };
          });
          let open = (): void => undefined;
          site.opened = new Promise(resolve => (open = resolve));
          for (let from = 0; from < total; from += 1_000)
            await bus.publishBatch(steps.slice(from, from + 1_000).map(step => stepped.of(step)));
          return timed(() => {
            open();
            return done;
          });
        }),
        variant('by hand', async () => {
          const messages = steps.map(step => ({ id: randomUUID(), body: Buffer.from(JSON.stringify(step)) }));
          const batches = Array.from({ length: total / BATCH }, (_, at) =>
            messages.slice(at * BATCH, (at + 1) * BATCH),
          );
          const worker = async (): Promise<void> => {
            for (let batch = batches.pop(); batch; batch = batches.pop()) {
              const data = batch.map(({ body }) => JSON.parse(body.toString()) as Step);
              const client = await pool.connect();
              await client.query('BEGIN');
              await client.query(
                'INSERT INTO bench_inbox SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING RETURNING id',
                [batch.map(({ id }) => id)],
              );
              await client.query(insert, [data.map(({ key }) => key), data.map(({ at }) => at)]);
              await client.query('COMMIT');
              client.release();
            }
          };
          return timed(() => Promise.all(Array.from({ length: CONCURRENCY }, worker)));
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
