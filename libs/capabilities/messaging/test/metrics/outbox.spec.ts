import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource, transactionsOf } from '@core-infra/database';
import { ObservabilityModule } from '@core-infra/observability';
import { eventually, usePostgres } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { IsString } from 'class-validator';
import { defineEvent, EventBus, Subscribe } from '../../src/index.js';
import { bootWithDatabase } from '../outbox/support/boot-with-database.js';
import { scraped } from './scraped.js';

class Order {
  @IsString() id!: string;
}
const placed = defineEvent('orders.placed', { schema: Order, key: ({ id }) => id });

describe('the metrics of the outbox', () => {
  const postgres = usePostgres();

  it('tell how many committed events wait and for how long, what is scheduled, parked and dead', async () => {
    @Controller()
    class Handlers {
      @Subscribe(placed, {
        retry: {
          attempts: 5,
          firstDelayMs: 600_000,
          maxDelayMs: 600_000,
          retryable: error => (error as Error).message !== 'never',
        },
      })
      handle(@Payload() { id }: Order): void {
        if (id === 'waits') throw new Error('no stock');
        if (id === 'dead') throw new Error('never');
      }
    }
    await using app = await bootWithDatabase({
      url: postgres.url,
      controllers: [Handlers],
      imports: [ObservabilityModule.forRoot({ metrics: { cacheMs: 0, readTimeoutMs: 60_000 } })],
      messaging: { group: 'stock', retry: { parkAfterMs: 0 } },
      outbox: { relay: false },
    });
    const bus = app.get(EventBus);
    const dataSource = app.get(DataSource);
    await transactionsOf(dataSource).run(() => bus.publishBatch(['a', 'b', 'c'].map(id => placed.of({ id }))));
    await dataSource.query(`UPDATE messaging_outbox SET created_at = created_at - interval '90 s'`);
    await dataSource.query(
      `INSERT INTO messaging_scheduled (bucket, id, kind, topic, headers, body, due_at)
       VALUES (0, 'later', 'event', 'orders.placed', '{}', '', now() + interval '1 h')`,
    );
    const connection = 'outbox';
    // It connects in the background.
    await eventually(async () => expect((await scraped(app)).value('infra_connection_up', { connection })).toBe(1));
    const found = await scraped(app);
    expect(found.value('infra_messaging_outbox_events', { connection })).toBe(3);
    expect(found.value('infra_messaging_outbox_oldest_age_seconds', { connection })).toBeGreaterThanOrEqual(90);
    expect(found.value('infra_messaging_outbox_oldest_age_seconds', { connection })).toBeLessThan(3_600);
    expect(found.value('infra_messaging_scheduled_events', { connection })).toBe(1);
    expect(found.value('infra_messaging_parked_limit_messages', { connection })).toBe(100_000);
    expect(found.value('infra_metrics_source_up', { source: 'outbox' })).toBe(1);
    expect(found.value('infra_messaging_parked_messages', { group: 'stock' })).toBe(0);
    expect(found.value('infra_messaging_dead_letters', { group: 'stock' })).toBe(0);
    expect(
      found.value('infra_operation_duration_seconds_count', {
        component: 'database',
        operation: 'INSERT',
        outcome: 'ok',
      }),
    ).toBeGreaterThan(0);
    await dataSource.query('DELETE FROM messaging_outbox');
    await bus.publish(placed.of({ id: 'waits' }));
    await eventually(async () => {
      const now = await scraped(app);
      expect(now.value('infra_messaging_parked_messages', { connection: 'messaging', group: 'stock' })).toBe(1);
      expect(now.value('infra_messaging_parked_keys', { connection: 'messaging', group: 'stock' })).toBe(1);
      expect(now.value('infra_messaging_parked_total', { group: 'stock', topic: 'orders.placed' })).toBe(1);
    });
    await bus.publish(placed.of({ id: 'dead' }));
    await eventually(async () =>
      expect((await scraped(app)).value('infra_messaging_dead_letters', { group: 'stock' })).toBe(1),
    );
    const last = await scraped(app);
    expect(last.value('infra_messaging_outbox_events', { connection })).toBe(0);
    expect(last.value('infra_messaging_outbox_oldest_age_seconds', { connection })).toBe(0);
    const documented = readFileSync(join(__dirname, '../../../../../docs/metrics.md'), 'utf8');
    for (const [, name] of last.text.matchAll(/^# TYPE (infra_messaging_\w+)/gm))
      expect(documented).toContain(`| \`${name}\` `);
    expect(last.text).not.toContain(new URL(postgres.url).password || 'postgresql://');
  });
});
