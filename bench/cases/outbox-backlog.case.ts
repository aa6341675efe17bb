import { OutboxRelay } from '@core-infra/messaging/outbox';
import { startPostgres } from '@core-infra/testing';
import { Pool } from 'pg';
import type { BenchCase, Variant } from '../harness/bench-case.js';
import { bootBus } from '../servers/bus-app.js';
import { fillOutbox } from '../servers/fill-outbox.js';

const MB = 1_000_000;
const ON_DISK = "SELECT pg_total_relation_size('messaging_outbox') AS bytes";

export const outboxBacklog: BenchCase = {
  name: 'outbox-backlog',
  about:
    'How fast the outbox drains into a broker that takes everything at once, from a usual backlog and from one of a million events (a tenth of that with `--quick`); ' +
    'by how much the process grows meanwhile, at most, and what the backlog takes on disk.',
  rounds: 3,
  metrics: [
    { key: 'perSecond', label: 'Events per second', unit: '/s', digits: 0 },
    { key: 'rssMb', label: 'Resident memory, growth', unit: 'MB', digits: 0 },
    { key: 'diskMb', label: 'On disk', unit: 'MB', digits: 0 },
  ],
  goals: [{ metric: 'perSecond', variant: 'a million', against: { variant: 'usual', as: 'ratio' }, atLeast: 0.7 }],
  async open({ quick }) {
    const server = await startPostgres();
    const pool = new Pool({ connectionString: server.url });
    const { app } = await bootBus(server.url, {});
    const relay = app.get(OutboxRelay);
    const draining = (name: string, rows: number): Variant => ({
      name,
      async measure() {
        await pool.query(fillOutbox(rows));
        const { rows: sizes } = await pool.query<{ bytes: string }>(ON_DISK);
        const before = process.memoryUsage.rss();
        let peak = before;
        const start = performance.now();
        relay.wake();
        while ((await pool.query('SELECT 1 FROM messaging_outbox LIMIT 1')).rowCount) {
          peak = Math.max(peak, process.memoryUsage.rss());
          await new Promise(resolve => setTimeout(resolve, 5));
        }
        const perSecond = (rows * 1_000) / (performance.now() - start);
        // The space of what is gone would count as the next backlog's.
        await pool.query('VACUUM FULL messaging_outbox');
        return { perSecond, rssMb: (peak - before) / MB, diskMb: Number(sizes[0]!.bytes) / MB };
      },
    });
    const million = quick ? 100_000 : 1_000_000;
    return {
      variants: [draining('a million', million), draining('usual', million / 20)],
      async close() {
        await pool.end();
        await app.close();
        await server.dispose();
      },
    };
  },
};
