import { DatabaseModule } from '@core-infra/database';
import { EventBus } from '@core-infra/messaging';
import { startPostgres } from '@core-infra/testing';
import type { DynamicModule } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { PgBoss } from 'pg-boss';
import type { BenchCase, Effort } from '../harness/bench-case.js';
import { BATCH, batchAt, cleared, consuming } from '../harness/counted.js';
import { throughputVariant } from '../harness/throughput.js';
import { bootPlaced, closeDrained, DATA, GROUP, keyOf, placed, TYPE } from '../servers/placed.js';

const CONCURRENCY = 8;
/** How many jobs both fetch at once. */
const FETCHED = 500;
/** As many as the consumer of an app settles and fetches beside each other. */
const FETCHERS = 2;
const OURS = `${GROUP}/${TYPE}`;
const RAW = 'raw';

const ours = (url: string): DynamicModule =>
  DatabaseModule.forRoot({ dsn: url, startup: 'require', pool: { max: 10 } });

/** What the driver keeps of an event as well, with what CloudEvents asks for. */
const dataOf = (at: number): object => ({
  id: randomUUID(),
  topic: TYPE,
  key: keyOf(at),
  headers: {
    ce_specversion: '1.0',
    ce_source: '/bench',
    ce_type: TYPE,
    ce_time: new Date().toISOString(),
    ce_partitionkey: keyOf(at),
    'content-type': 'application/json',
  },
  body: JSON.stringify(DATA),
});

interface Servers {
  readonly url: string;
  readonly boss: PgBoss;
  dispose(): Promise<void>;
}

/** A server with pg-boss twice: in the schema of the driver, whose queue of the group is there, and in one of its own. */
async function openServers(): Promise<Servers> {
  const server = await startPostgres();
  const { url } = server;
  await (await bootPlaced(ours(url), 'postgres', () => undefined)).close();
  const boss = new PgBoss({ connectionString: url, schema: RAW, max: 10, schedule: false, supervise: false });
  await boss.start();
  await boss.createQueue(RAW);
  return {
    url,
    boss,
    dispose: async () => {
      await boss.stop({ graceful: false });
      await server.dispose();
    },
  };
}

/** pg-boss as it is used by hand: fetch, handle, delete, as soon as the last are done. */
function fetchAll(boss: PgBoss, seen: () => void): () => Promise<unknown> {
  let ended = false;
  const fetchers = Array.from({ length: FETCHERS }, async () => {
    while (!ended) {
      const jobs = await boss.fetch<{ body: string }>(RAW, { batchSize: FETCHED });
      for (const { data } of jobs) {
        JSON.parse(data.body);
        seen();
      }
      if (jobs.length > 0)
        await boss.deleteJob(
          RAW,
          jobs.map(({ id }) => id),
        );
      else await new Promise(resolve => setTimeout(resolve, 5));
    }
  });
  return () => {
    ended = true;
    return Promise.all(fetchers);
  };
}

export const postgresPublish: BenchCase = {
  name: 'postgres-publish',
  about:
    `Events of 1 KiB with keys into a queue of pg-boss on a real PostgreSQL, committed: ${BATCH} at a time, ${CONCURRENCY} times at once. ` +
    '*core-infra*: `publishBatch` with the driver `postgres`; *one by one*: `publish` for each of them. *pg-boss*: its `insert` of as many jobs with the same data; ' +
    '*one by one*: its `send` for each of them.',
  rounds: 5,
  metrics: [
    { key: 'perSecond', label: `Batches of ${BATCH} per second`, unit: '', digits: 0 },
    { key: 'cpuUs', label: 'CPU per batch', unit: 'µs' },
  ],
  goals: [{ metric: 'perSecond', variant: 'core-infra', against: { variant: 'pg-boss', as: 'ratio' }, atLeast: 0.92 }],
  async open(effort) {
    const servers = await openServers();
    const { url, boss } = servers;
    const app = await bootPlaced(ours(url), 'postgres');
    const bus = app.get(EventBus);
    const own = new PgBoss({ connectionString: url, max: 1, schedule: false, supervise: false });
    await own.start();
    const event = (at: number) => placed.of(DATA, { key: keyOf(at) });
    return {
      variants: [
        throughputVariant('core-infra', at => bus.publishBatch(batchAt(at).map(event)), effort, CONCURRENCY),
        throughputVariant(
          'core-infra, one by one',
          at => Promise.all(batchAt(at).map(n => bus.publish(event(n)))),
          effort,
          CONCURRENCY,
        ),
        throughputVariant(
          'pg-boss',
          at =>
            boss.insert(
              RAW,
              batchAt(at).map(n => ({ data: dataOf(n) })),
            ),
          effort,
          CONCURRENCY,
        ),
        throughputVariant(
          'pg-boss, one by one',
          at => Promise.all(batchAt(at).map(n => boss.send(RAW, dataOf(n)))),
          effort,
          CONCURRENCY,
        ),
      ].map(variant => cleared(variant, () => Promise.all([boss.deleteAllJobs(RAW), own.deleteAllJobs(OURS)]))),
      async close() {
        await own.stop({ graceful: false });
        await app.close();
        await servers.dispose();
      },
    };
  },
};

export const postgresConsume: BenchCase = {
  name: 'postgres-consume',
  about:
    'Events of 1 KiB that wait in a queue of pg-boss on a real PostgreSQL, handled by a method that does nothing, and deleted. *core-infra*: a `@Subscribe` handler with the driver ' +
    `\`postgres\`, with its envelope and the order of 1,000 keys. *pg-boss*: ${FETCHERS} loops of \`fetch\` of ${FETCHED} jobs and \`deleteJob\`, the body parsed; without any order.`,
  rounds: 5,
  metrics: [{ key: 'perSecond', label: 'Events per second', unit: '/s', digits: 0 }],
  goals: [{ metric: 'perSecond', variant: 'core-infra', against: { variant: 'pg-boss', as: 'ratio' }, atLeast: 0.85 }],
  async open({ quick }: Effort) {
    const servers = await openServers();
    const { url, boss } = servers;
    const publisher = await bootPlaced(ours(url), 'postgres');
    const bus = publisher.get(EventBus);
    const total = quick ? 3_000 : 20_000;
    const batches = Array.from({ length: total / BATCH }, (_, at) => batchAt(at));
    return {
      variants: [
        consuming(
          'core-infra',
          total,
          async () => {
            for (const batch of batches) await bus.publishBatch(batch.map(at => placed.of(DATA, { key: keyOf(at) })));
          },
          async seen => {
            const app = await bootPlaced(ours(url), 'postgres', seen);
            return () => closeDrained(app);
          },
        ),
        consuming(
          'pg-boss',
          total,
          async () => {
            for (const batch of batches)
              await boss.insert(
                RAW,
                batch.map(at => ({ data: dataOf(at) })),
              );
          },
          seen => Promise.resolve(fetchAll(boss, seen)),
        ),
      ],
      async close() {
        await publisher.close();
        await servers.dispose();
      },
    };
  },
};
