import { DatabaseModule } from '@core-infra/database';
import { eventually, uniqueName, usePostgres } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { EventBus, Subscribe } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';
import { inversions, Step, stepped } from './fixtures/steps.js';

const database = usePostgres();
const total = 10_000;
const keys = 200;

describe('rate', () => {
  it('carries 10,000 events in order, and says how fast', async () => {
    const handled: Step[] = [];
    @Controller()
    class Steps {
      @Subscribe(stepped)
      handle(@Payload() step: Step): void {
        handled.push(step);
      }
    }
    const boot = (controllers: (typeof Steps)[], group: string) =>
      bootMessaging({
        controllers,
        imports: [DatabaseModule.forRoot({ dsn: database.url })],
        options: { driver: 'postgres', startup: 'require', group },
      });
    const group = uniqueName('group');
    const events = Array.from({ length: total }, (_, index) =>
      stepped.of({ key: `key-${index % keys}`, at: Math.floor(index / keys) }),
    );
    {
      await using app = await boot([Steps], group); // makes the group
      await app.get(EventBus).publish(stepped.of({ key: 'warm', at: 0 }));
      await eventually(() => expect(handled).toHaveLength(1));
    }
    handled.length = 0;
    const publisher = await boot([], group);
    const bus = publisher.get(EventBus);
    let since = performance.now();
    for (let from = 0; from < total; from += 500) await bus.publishBatch(events.slice(from, from + 500));
    const batched = performance.now() - since;
    since = performance.now();
    await using _ = await boot([Steps], group);
    const joined = performance.now() - since;
    await eventually(() => expect(handled).toHaveLength(total), { timeoutMs: 50_000 });
    const drained = performance.now() - since - joined;
    expect(inversions(handled)).toEqual([]);
    since = performance.now();
    await Promise.all(events.slice(0, 2_000).map(event => bus.publish(event)));
    const single = performance.now() - since;
    await eventually(() => expect(handled).toHaveLength(total + 2_000), { timeoutMs: 50_000 });
    const latencies: number[] = [];
    for (let at = 0; at < 100; at += 1) {
      const before = performance.now();
      const count = handled.length;
      await bus.publish(stepped.of({ key: 'latency', at }));
      await eventually(() => expect(handled.length).toBe(count + 1), { intervalMs: 1 });
      latencies.push(performance.now() - before);
    }
    latencies.sort((a, b) => a - b);
    await publisher.close();
    process.stdout.write(
      [
        `published in batches of 500: ${rate(total, batched)}`,
        `published one by one, 2,000 at once: ${rate(2_000, single)}`,
        `backlog drained: ${rate(total, drained)} (joined in ${Math.round(joined)} ms)`,
        `publish to handler, one at a time: p50 ${latencies[50]!.toFixed(1)} ms, p99 ${latencies[99]!.toFixed(1)} ms`,
        '',
      ].join('\n'),
    );
  });
});

const rate = (count: number, ms: number): string => `${Math.round(count / (ms / 1_000))}/s`;
