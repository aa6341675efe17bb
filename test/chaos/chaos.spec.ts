import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startPostgres, type PostgresServer } from '@core-infra/testing';
import { Client } from 'pg';
import { brokers, type Broker } from './support/brokers.js';
import { check, type Checked } from './support/checker.js';
import { Troupe } from './support/troupe.js';

/** `npm run chaos -- --injections 1000`: how many kills each broker's run sees. */
const INJECTIONS = Number(process.env.CHAOS_INJECTIONS ?? 50);
const only = process.env.CHAOS_BROKERS?.split(',');

const schema = readFileSync(join(__dirname, 'fixtures/schema.sql'), 'utf8');

async function query<Row>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** Waits until as many effects are there as events were sent; gives up when nothing has happened for so long. */
async function settled(url: string, idleMs: number): Promise<void> {
  let last = -1;
  let since = performance.now();
  for (;;) {
    const { sent, effects } = await check(url).catch(() => ({ sent: 1, effects: last }) as Checked);
    if (effects >= sent) return;
    if (effects !== last) {
      last = effects;
      since = performance.now();
    } else if (performance.now() - since > idleMs) return;
    await sleep(500);
  }
}

async function run(
  postgres: PostgresServer,
  broker: Broker,
  injections: number,
  worker: 'worker' | 'hasty',
): Promise<Checked> {
  const url = await postgres.createDatabase();
  await query(url, schema);
  const server = await broker.start(postgres);
  await using stack = new AsyncDisposableStack();
  if (server) stack.use(server);
  const troupe = stack.use(new Troupe({ DATABASE_URL: url, BROKER: broker.name, ...server?.env }));
  // The first makes the tables.
  await troupe.add(worker);
  await Promise.all([troupe.add(worker), troupe.add('relay'), troupe.add('relay')]);
  await troupe.add('producer');
  await eventually(async () => expect((await check(url)).effects).toBeGreaterThan(20), { timeoutMs: 60_000 });

  await server?.settled?.();
  const kills: Record<string, number> = {};
  for (let at = 0; at < injections; at += 1) {
    const dice = Math.random();
    const victim =
      worker === 'hasty' || dice < 0.45
        ? worker
        : dice < 0.75
          ? 'relay'
          : dice < 0.9 || !server
            ? 'database'
            : 'broker';
    kills[victim] = (kills[victim] ?? 0) + 1;
    if (victim === 'database') {
      await postgres.kill('SIGKILL');
      await sleep(Math.random() * 500);
      await postgres.start();
      await troupe.mend();
    } else if (victim === 'broker') {
      await server!.kill('SIGKILL');
      await sleep(Math.random() * 500);
      await server!.start();
    } else await troupe.kill(victim as 'worker');
    await sleep(200 + Math.random() * 600);
  }
  await troupe.mend();
  await troupe.end('producer');
  await settled(url, worker === 'worker' ? 45_000 : 5_000);
  const found = await check(url);
  process.stdout.write(
    `${broker.name}: ${JSON.stringify(kills)} ${JSON.stringify(found)} wire duplicates: ${found.calls - found.effects}\n`,
  );
  if (worker === 'worker' && found.lost > 0) process.stdout.write(`${troupe.story}\n`);
  return found;
}

describe('kill -9 of workers, relays, broker and database in random order under load', () => {
  const postgresServers: PostgresServer[] = [];
  afterAll(() => Promise.all(postgresServers.map(server => server.dispose())));
  const server = async (): Promise<PostgresServer> => {
    const started = await startPostgres({ keepsCommits: true });
    postgresServers.push(started);
    return started;
  };

  it.each(brokers.filter(({ name }) => !only || only.includes(name)))(
    'loses no event, doubles no effect and inverts nothing within a key: $name',
    async broker => {
      const { sent, effects, lost, duplicated, invented, inverted } = await run(
        await server(),
        broker,
        INJECTIONS,
        'worker',
      );
      expect({ lost, duplicated, invented, inverted }).toEqual({ lost: 0, duplicated: 0, invented: 0, inverted: 0 });
      expect(effects).toBe(sent);
      expect(sent).toBeGreaterThan(INJECTIONS);
    },
    600_000 + INJECTIONS * 10_000,
  );

  it('is seen by the checker when a worker acknowledges before it has done anything', async () => {
    const found = await run(await server(), brokers[0]!, 6, 'hasty');
    expect(found.lost).toBeGreaterThan(0);
  }, 300_000);
});
