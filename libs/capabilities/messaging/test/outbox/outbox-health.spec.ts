import { DataSource } from '@core-infra/database';
import { HealthModule } from '@core-infra/health';
import { eventually, type HttpApp, usePostgres } from '@core-infra/testing';
import type { OutboxOptions } from '../../src/outbox/index.js';
import { bootWithDatabase } from './support/boot-with-database.js';

const postgres = usePostgres();
const token = 'spec-token';
let url: string;
beforeEach(async () => (url = await postgres.createDatabase()));

const boot = (outbox: OutboxOptions): Promise<HttpApp> =>
  bootWithDatabase({
    url,
    imports: [HealthModule.forRoot({ cacheMs: 0, intervalMs: 0, deadlineMs: 30_000, token })],
    outbox,
  });

const write = (app: HttpApp, events: number, age: string): Promise<unknown> =>
  app.get(DataSource).query(
    `INSERT INTO messaging_outbox (bucket, id, kind, topic, headers, body, created_at)
     SELECT at % 16, at::text, 'event', 't', '{"content-type":"application/json"}', '{}', now() - $2::interval FROM generate_series(1, $1::int) AS at`,
    [events, age],
  );

interface Shown {
  readonly status: string;
  readonly reason?: string;
  readonly details: { readonly waiting: unknown; readonly oldestMs: number };
}

/** What health says of the outbox. */
async function outboxOf(app: HttpApp): Promise<Omit<Shown, 'details'> & Shown['details']> {
  const response = await app.fetch('/health', { headers: { authorization: `Bearer ${token}` } });
  const { checks } = (await response.json()) as { checks: Record<'outbox', Shown> };
  const { details, ...rest } = checks.outbox;
  return { ...rest, ...details };
}

describe('the health of an outbox', () => {
  it('shows how many events wait and for how long, and is degraded above either threshold', async () => {
    await using app = await boot({ relay: false, maxBacklog: 10, maxAgeMs: 60_000 });
    await eventually(async () => expect(await outboxOf(app)).toMatchObject({ status: 'up', waiting: 0, oldestMs: 0 }));
    await write(app, 3, '5 s');
    const few = await outboxOf(app);
    expect(few).toMatchObject({ status: 'up', waiting: 3 });
    expect(few.oldestMs).toBeGreaterThanOrEqual(5_000);
    await write(app, 8, '0 s');
    expect(await outboxOf(app)).toMatchObject({
      status: 'degraded',
      waiting: 'more than 10',
      reason: 'More than 10 events wait to be relayed',
    });
    await app.get(DataSource).query('TRUNCATE messaging_outbox');
    await write(app, 1, '2 min');
    expect(await outboxOf(app)).toMatchObject({
      status: 'degraded',
      waiting: 1,
      reason: expect.stringMatching(/^An event has been waiting to be relayed for 12\d s$/),
    });
  });

  it('is well again once a relay has published what waited, however old', async () => {
    await using full = await boot({ relay: false, maxBacklog: 10 });
    await write(full, 50, '400 days');
    expect((await outboxOf(full)).status).toBe('degraded');
    await using app = await boot({ maxBacklog: 10 });
    await eventually(async () => expect(await outboxOf(app)).toMatchObject({ status: 'up', waiting: 0 }));
  });
});
