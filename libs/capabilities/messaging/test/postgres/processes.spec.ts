import { join } from 'node:path';
import { DatabaseModule, DataSource } from '@core-infra/database';
import { type Child, eventually, runChild, uniqueName, usePostgres } from '@core-infra/testing';
import { EventBus } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';
import { inversions, type Step, stepped } from './fixtures/steps.js';

const database = usePostgres();
const keys = 40;

interface Handled extends Step {
  readonly seq: string;
  readonly pid: number;
  readonly ended: string | null;
}

describe('processes of a group', () => {
  it('share its messages, lose none when one of them is killed, and keep the order of each key', async () => {
    const schema = 'pgboss_killed';
    await using app = await bootMessaging({
      imports: [DatabaseModule.forRoot({ dsn: database.url })],
      options: { driver: 'postgres', startup: 'require', postgres: { schema } },
    });
    const dataSource = app.get(DataSource);
    await dataSource.query('CREATE TABLE handled (seq bigserial PRIMARY KEY, key text, at int, pid int, ended bigint)');
    const args = [database.url, schema, uniqueName('group'), '2000'];
    const start = async (): Promise<Child> => {
      const child = runChild(join(__dirname, 'fixtures/worker.main.ts'), { args });
      await child.waitForLine(/^ready$/);
      return child;
    };
    const [first, second] = await Promise.all([start(), start()]);
    const handledBy = async (pid: number): Promise<number> => {
      const [row] = await dataSource.query<[{ count: string }]>('SELECT count(*) FROM handled WHERE pid = $1', [pid]);
      return Number(row.count);
    };
    const bus = app.get(EventBus);
    const events = Array.from({ length: 3_000 }, (_, index) =>
      stepped.of({ key: `key-${index % keys}`, at: Math.floor(index / keys) }),
    );
    for (let from = 0; from < 1_500; from += 500) await bus.publishBatch(events.slice(from, from + 500));
    await eventually(async () => expect(await handledBy(first.pid)).toBeGreaterThan(100), { timeoutMs: 20_000 });
    await eventually(async () => expect(await handledBy(second.pid)).toBeGreaterThan(100), { timeoutMs: 20_000 });
    first.kill('SIGKILL');
    await first.exit;
    await bus.publishBatch(events.slice(1_500, 2_000));
    const third = await start();
    let published = 2_000;
    await eventually(
      async () => {
        await bus.publishBatch(events.slice(published, (published += published < 3_000 ? 20 : 0)));
        expect(await handledBy(third.pid)).toBeGreaterThan(0);
      },
      { timeoutMs: 20_000, intervalMs: 200 },
    );
    await bus.publishBatch(events.slice(published));
    const handled = (): Promise<Handled[]> => dataSource.query<Handled[]>('SELECT * FROM handled ORDER BY seq');
    await eventually(
      async () => expect(new Set((await handled()).map(({ key, at }) => `${key} ${at}`)).size).toBe(3_000),
      { timeoutMs: 40_000 },
    );
    const rows = await handled();
    expect(inversions(rows)).toEqual([]);
    expect(overlaps(rows.filter(({ pid }) => pid !== first.pid))).toEqual([]);
    // Only what the killed one had in hand may come twice: one message of each key at most was begun.
    expect(rows.length - 3_000).toBeLessThanOrEqual(keys);
    await eventually(async () =>
      expect(await dataSource.query(`SELECT 1 FROM ${schema}.job WHERE name LIKE '%/${stepped.type}'`)).toEqual([]),
    );
  });
});

/** Keys of which two messages were under way at once. */
function overlaps(rows: readonly Handled[]): string[] {
  const busyUntil = new Map<string, number>();
  const found: string[] = [];
  for (const { key, at, seq, ended } of rows) {
    if (Number(seq) < (busyUntil.get(key) ?? 0)) found.push(`${key}: ${at}`);
    busyUntil.set(key, Number(ended));
  }
  return found;
}
