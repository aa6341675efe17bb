import { ObservabilityModule } from '@core-infra/observability';
import { eventually, type HttpApp } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { IsInt, IsString } from 'class-validator';
import { defineEvent, EventBus, MessagingHub, Subscribe } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';
import { scraped } from './scraped.js';

class Order {
  @IsString() id!: string;
  @IsInt() at!: number;
}
const placed = defineEvent('orders.placed', { schema: Order, key: ({ id }) => id });

function boot(handle: (order: Order) => Promise<void> | void): Promise<HttpApp> {
  @Controller()
  class Handlers {
    @Subscribe(placed, { concurrency: 2, retry: { attempts: 2, firstDelayMs: 1, maxDelayMs: 1 } })
    handle(@Payload() order: Order) {
      return handle(order);
    }
  }
  return bootMessaging({
    controllers: [Handlers],
    imports: [ObservabilityModule.forRoot({ metrics: { cacheMs: 0 } })],
    options: { group: 'stock' },
  });
}

const at = { group: 'stock', topic: 'orders.placed' };

describe('the metrics of messaging', () => {
  it('count what was published, handled, retried and given up', async () => {
    await using app = await boot(({ id }) => {
      if (id === 'bad') throw new Error('no stock');
    });
    const bus = app.get(EventBus);
    for (let n = 0; n < 5; n += 1) await bus.publish(placed.of({ id: `secret-${n}`, at: n }));
    await bus.publish(placed.of({ id: 'bad', at: 6 }));
    await eventually(async () => {
      const found = await scraped(app);
      expect(found.value('infra_messaging_handled_total', at)).toBe(5);
      expect(found.value('infra_messaging_dead_total', { ...at, reason: 'attempts' })).toBe(1);
    });
    const found = await scraped(app);
    expect(found.value('infra_messaging_retried_total', { ...at, mode: 'ordered' })).toBe(1);
    expect(found.value('infra_messaging_handling_duration_seconds_count', at)).toBe(5);
    expect(found.value('infra_messaging_dead_letters', { connection: 'messaging', group: 'stock' })).toBe(1);
    const calls = (operation: string, outcome: string) =>
      found.value('infra_operation_duration_seconds_count', { component: 'messaging', operation, outcome });
    expect(calls('publish', 'ok')).toBe(6);
    expect(calls('process', 'ok')).toBe(5);
    expect(calls('process', 'server_error')).toBe(2);
    expect(found.text).not.toContain('secret-');
  });

  it('tell what waits, is in hand and holds fetching up', async () => {
    let open!: () => void;
    const opened = new Promise<void>(resolve => (open = resolve));
    await using app = await boot(() => opened);
    const bus = app.get(EventBus);
    for (let n = 0; n < 7; n += 1) await bus.publish(placed.of({ id: `key-${n}`, at: n }));
    const connection = 'messaging';
    await eventually(async () => {
      const found = await scraped(app);
      expect(found.value('infra_messaging_backlog_messages', { connection, ...at })).toBe(7);
      expect(found.value('infra_messaging_in_flight_messages', { connection, group: 'stock' })).toBe(7);
    });
    const found = await scraped(app);
    expect(found.value('infra_messaging_receiving', { group: 'stock' })).toBe(1);
    expect(found.value('infra_messaging_partitions', { group: 'stock' })).toBeGreaterThan(0);
    expect(found.value('infra_messaging_dead_letters', { group: 'stock' })).toBe(0);
    expect(found.value('infra_metrics_source_up', { source: 'messaging' })).toBe(1);
    expect(found.value('infra_messaging_paused', { group: 'stock' })).toBeUndefined();
    app.get(MessagingHub).pressure.add('spec', () => true);
    await eventually(async () =>
      expect((await scraped(app)).value('infra_messaging_paused', { group: 'stock', reason: 'spec' })).toBe(1),
    );
    expect((await scraped(app)).value('infra_messaging_paused_total', { group: 'stock' })).toBe(1);
    open();
    await eventually(async () =>
      expect((await scraped(app)).value('infra_messaging_in_flight_messages', { group: 'stock' })).toBe(0),
    );
  });

  it('of two apps in one process are each of its own', async () => {
    await using first = await boot(() => undefined);
    await using second = await boot(() => undefined);
    await first.get(EventBus).publish(placed.of({ id: 'a', at: 1 }));
    for (const id of ['b', 'c']) await second.get(EventBus).publish(placed.of({ id, at: 1 }));
    const handled = async (app: HttpApp) =>
      (await scraped(app)).value('infra_messaging_handled_total', { connection: 'messaging', ...at });
    await eventually(async () => expect([await handled(first), await handled(second)]).toEqual([1, 2]));
    for (const [app, published] of [
      [first, 1],
      [second, 2],
    ] as const)
      expect((await scraped(app)).value('infra_operation_duration_seconds_count', { operation: 'publish' })).toBe(
        published,
      );
  });

  it('tell what the process knows while the broker does not answer', async () => {
    await using app = await boot(() => undefined);
    const hub = app.get(MessagingHub);
    const [member] = hub.members;
    member!.backlog = () => Promise.reject(new Error('the broker is away'));
    hub.driver.deadLetters.sizes = () => new Promise(() => undefined);
    const found = await scraped(app);
    expect(found.value('infra_messaging_in_flight_messages', { group: 'stock' })).toBe(0);
    expect(found.of('infra_messaging_backlog_messages')).toEqual([]);
    expect(found.of('infra_messaging_dead_letters')).toEqual([]);
  });
});
