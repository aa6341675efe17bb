import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { eventually, runChild, usePostgres } from '@core-infra/testing';
import type { OutgoingMessage } from '../../src/index.js';
import { bucketOf } from '../../src/outbox/buckets.js';
import { holdBuckets } from '../../src/outbox/relay/outbox-rows.js';
import { bootRelay, messagesOf, type RelayApp } from './support/boot-relay.js';

const postgres = usePostgres();
let url: string;
beforeEach(async () => (url = await postgres.createDatabase()));

interface Taken {
  readonly relay: string;
  readonly key: string;
  readonly at: number;
}

/** A relay of this process into the table `sink`. */
async function bootSink(options: Parameters<typeof bootRelay>[2] = {}): Promise<RelayApp> {
  const app = await bootRelay(
    url,
    async messages => {
      await app.dataSource.query(
        `INSERT INTO sink (relay, key, at) SELECT 'spec', * FROM unnest($1::text[], $2::int[])`,
        [messages.map(({ key }) => key), messages.map(({ body }) => Number(body.toString()))],
      );
      return messages.map(() => undefined);
    },
    options,
  );
  await app.dataSource.query(
    'CREATE TABLE IF NOT EXISTS sink (seq bigserial PRIMARY KEY, relay text, key text, at int)',
  );
  return app;
}

const takenOf = ({ dataSource }: RelayApp): Promise<Taken[]> =>
  dataSource.query<Taken[]>('SELECT * FROM sink ORDER BY seq');

const child = (leaseMs: number, mode: 'slow' | 'hangs') =>
  runChild(join(__dirname, 'fixtures/relay.main.ts'), { args: [url, String(leaseMs), mode] });

/** What each key had, in the order in which it was taken. */
function byKey(taken: readonly Taken[]): Record<string, number[]> {
  const keys: Record<string, number[]> = {};
  for (const { key, at } of taken) (keys[key] ??= []).push(at);
  return keys;
}

const bucketsIn = (messages: readonly OutgoingMessage[]): number =>
  new Set(messages.map(({ key }) => bucketOf(key!))).size;

describe('relays beside each other', () => {
  it('share the buckets within seconds of their meeting, though one had all of them; who is alone has all again', async () => {
    const took: Record<'first' | 'second', number[]> = { first: [], second: [] };
    const boot = (who: keyof typeof took) =>
      bootRelay(
        url,
        async messages => {
          await new Promise(resolve => setTimeout(resolve, 5));
          took[who].push(bucketsIn(messages));
          return messages.map(() => undefined);
        },
        { batchSize: 64 },
      );
    await using stack = new AsyncDisposableStack();
    const first = stack.use(await boot('first'));
    const second = stack.use(await boot('second'));
    let filling = true;
    const fill = async (): Promise<void> => {
      while (filling) {
        await first.outbox.write(messagesOf(500, 100));
        await eventually(
          async () =>
            expect(await first.dataSource.query('SELECT 1 FROM messaging_outbox OFFSET 1000 LIMIT 1')).toEqual([]),
          { timeoutMs: 60_000 },
        );
      }
    };
    const filled = fill();
    first.relay.start();
    await eventually(() => expect(Math.max(0, ...took.first)).toBeGreaterThan(8));
    second.relay.start();
    await eventually(() => {
      expect(took.second.length).toBeGreaterThan(5);
      expect(Math.max(...took.first.slice(-5))).toBeLessThanOrEqual(8);
      expect(Math.max(...took.second.slice(-5))).toBeLessThanOrEqual(8);
    });
    await second.relay.stop(AbortSignal.timeout(5_000));
    const from = took.first.length;
    await eventually(() => expect(Math.max(0, ...took.first.slice(from))).toBeGreaterThan(8));
    filling = false;
    await filled;
  });

  it('take over at once from one that is killed, whatever its lease', async () => {
    await using spec = await bootSink();
    await spec.outbox.write(messagesOf(30, 3));
    const killed = child(3_600_000, 'hangs');
    await killed.waitForLine(/^publishing$/);
    spec.relay.start();
    killed.kill('SIGKILL');
    await killed.exit;
    await eventually(async () => expect(await takenOf(spec)).toHaveLength(30));
    expect(byKey(await takenOf(spec))['key-0']).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
  });

  it('are not disturbed by one that wakes up after its lease: it publishes and removes nothing more, and takes part again', async () => {
    await using spec = await bootSink({ leaseMs: 1_000 });
    await spec.outbox.write(messagesOf(30, 3));
    const sleeper = child(1_000, 'slow');
    await sleeper.waitForLine(/^publishing$/);
    sleeper.kill('SIGSTOP');
    spec.relay.start();
    await eventually(async () => expect(await takenOf(spec)).toHaveLength(30));
    await spec.relay.stop(AbortSignal.timeout(5_000));
    sleeper.kill('SIGCONT');
    await sleeper.waitForLine(/^ended/);
    expect(sleeper.lines.filter(line => line.startsWith('ended'))).toEqual(['ended late']);
    const more = messagesOf(60, 3).slice(30);
    await spec.outbox.write(more);
    await sleeper.waitForLine(/^ended in time$/);
    await eventually(async () => expect(await spec.dataSource.query('SELECT 1 FROM messaging_outbox')).toEqual([]));
    const taken = await takenOf(spec);
    expect(new Set(taken.slice(0, 30).map(({ relay }) => relay))).toEqual(new Set(['spec']));
    expect(new Set(taken.slice(30).map(({ relay }) => relay))).toEqual(new Set(['child']));
    for (const key of [0, 1, 2])
      expect(byKey(taken)[`key-${key}`]).toEqual(Array.from({ length: 20 }, (_, at) => at * 3 + key));
  });

  it('are told by the clock that their time is over, before any timer could', async () => {
    const told: boolean[] = [];
    await using app = await bootRelay(
      url,
      async (messages, signal) => {
        told.push(signal.aborted);
        // As a process that is stopped for longer than its lease.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
        told.push(signal.aborted);
        return messages.map(() => signal.reason as Error);
      },
      { leaseMs: 500 },
    );
    await app.outbox.write(messagesOf(1, 1));
    app.relay.start();
    await eventually(() => expect(told.slice(0, 2)).toEqual([false, true]));
  });

  it('ask the server for nothing but a look now and then while there is nothing to do', async () => {
    await using counted = await countingProxy(url);
    const pollMs = 100;
    const boot = () => bootRelay(counted.url, async messages => messages.map(() => undefined), { pollMs });
    await using stack = new AsyncDisposableStack();
    const relays = [stack.use(await boot()), stack.use(await boot())];
    for (const { relay } of relays) relay.start();
    await relays[0]!.outbox.write(messagesOf(100, 50));
    await eventually(async () =>
      expect(await relays[0]!.dataSource.query('SELECT 1 FROM messaging_outbox')).toEqual([]),
    );
    await eventually(() => expect(relays.every(({ relay }) => relay.isListening)).toBe(true));
    // Each still looks at buckets that the other had.
    await eventually(
      async () => {
        const before = counted.statements;
        await new Promise(resolve => setTimeout(resolve, 500));
        expect(counted.statements - before).toBeLessThanOrEqual(2);
      },
      { intervalMs: 1 },
    );
    const before = counted.statements;
    const since = performance.now();
    await eventually(() => expect(counted.statements - before).toBeGreaterThanOrEqual(6), { timeoutMs: 30_000 });
    // One look of each every ten pollMs: with the default, one in 10 s.
    const looks = (performance.now() - since) / (10 * pollMs);
    expect(counted.statements - before).toBeLessThanOrEqual(2 * (looks + 1));
  });
});

describe('a batch', () => {
  it('ends with the event that makes it as large as may be in memory', async () => {
    const batches: number[][] = [];
    await using app = await bootRelay(
      url,
      async messages => {
        batches.push(messages.map(({ body }) => body.length));
        return messages.map(() => undefined);
      },
      { batchBytes: 3_000_000 },
    );
    const sizes = [5_000_000, ...Array.from({ length: 20 }, () => 900_000), 10, 20];
    const messages = messagesOf(sizes.length, 1).map((message, at) => ({
      ...message,
      body: Buffer.alloc(sizes[at]!, 'x'),
    }));
    await app.outbox.write(messages);
    app.relay.start();
    await eventually(() => expect(batches.flat()).toEqual(sizes));
    const bytes = (batch: readonly number[]): number => batch.slice(0, -1).reduce((sum, size) => sum + size, 0);
    expect(batches.map(bytes).filter(sum => sum >= 3_000_000)).toEqual([]);
    expect(batches[0]).toEqual([5_000_000]);
    expect(Math.max(...batches.slice(1, -1).map(({ length }) => length))).toBe(4);
  });

  it('of some buckets reads none of the others’ events, however many they are and whatever the server knows of them', async () => {
    await using app = await bootRelay(url, async messages => messages.map(() => undefined));
    const { dataSource } = app;
    await dataSource.query(
      `INSERT INTO messaging_outbox (bucket, id, kind, topic, headers, body) SELECT 9, at::text, 'event', 't', '{}', '' FROM generate_series(1, 100000) AS at`,
    );
    for (const [statistics, buckets, found] of [
      ['none', [0, 1, 2, 3, 4, 5, 6, 7], 0],
      ['none', [8, 9, 10, 11, 12, 13, 14, 15], 1_000],
      ['fresh', [0, 1, 2, 3, 4, 5, 6, 7], 0],
      ['fresh', [8, 9, 10, 11, 12, 13, 14, 15], 1_000],
    ] as const) {
      if (statistics === 'fresh') await dataSource.query('ANALYZE messaging_outbox');
      const runner = dataSource.createQueryRunner();
      const ofRunner = Object.create(dataSource, { createQueryRunner: { value: () => runner } }) as typeof dataSource;
      const result = await holdBuckets(ofRunner, { buckets, atMost: 8, leaseMs: 5_000 }, async hold => {
        const reads = async (): Promise<number> => {
          const [row] = (await runner.query(
            `SELECT seq_tup_read + idx_tup_fetch AS reads FROM pg_stat_xact_user_tables WHERE relname = 'messaging_outbox'`,
          )) as [{ reads: string }];
          return Number(row.reads);
        };
        const before = await reads();
        const { rows } = await hold.read({ events: 1_000, bytes: 1_000_000 }, { keys: [], seqs: [] });
        return { rows: rows.length, reads: (await reads()) - before };
      });
      expect([statistics, result]).toEqual([statistics, { rows: found, reads: found }]);
    }
  });
});

interface Counted extends AsyncDisposable {
  readonly url: string;
  /** How many statements went through to the server. */
  readonly statements: number;
}

/** Carries connections to the server, and counts what is asked of it. */
async function countingProxy(to: string): Promise<Counted> {
  const { hostname, port } = new URL(to);
  let statements = 0;
  const server: Server = createServer(client => {
    const upstream = connect(Number(port), hostname);
    // Simple queries and extended ones; a message of ours is never split at its first byte.
    client.on('data', chunk => void (statements += chunk[0] === 0x51 || chunk[0] === 0x50 ? 1 : 0));
    client.pipe(upstream).pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const own = new URL(to);
  own.hostname = '127.0.0.1';
  own.port = String((server.address() as { port: number }).port);
  return {
    url: own.href,
    get statements() {
      return statements;
    },
    [Symbol.asyncDispose]: () => new Promise(resolve => server.close(() => resolve())),
  };
}
