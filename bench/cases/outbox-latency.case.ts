import { transactionsOf } from '@core-infra/database';
import { startPostgres } from '@core-infra/testing';
import type { BenchCase, Variant } from '../harness/bench-case.js';
import { bootBus, stepped } from '../servers/bus-app.js';

const PER_SECOND = 1_000;

export const outboxLatency: BenchCase = {
  name: 'outbox-latency',
  about: `From the commit of a transaction that publishes one event until the event is handed to the broker, at ${PER_SECOND.toLocaleString('en-US')} transactions a second in one process, whose relay is woken at the commit.`,
  rounds: 5,
  metrics: [
    { key: 'p50', label: 'p50', unit: 'ms', digits: 2 },
    { key: 'p99', label: 'p99', unit: 'ms', digits: 2 },
    { key: 'perSecond', label: 'Transactions', unit: '/s', digits: 0 },
  ],
  goals: [
    { metric: 'p50', variant: 'core-infra', atMost: 5 },
    { metric: 'p99', variant: 'core-infra', atMost: 25 },
  ],
  async open({ quick }) {
    const server = await startPostgres();
    const committedAt = new Map<number, number>();
    let delays: number[] = [];
    const { app, bus, dataSource } = await bootBus(server.url, {
      handler: {
        options: { concurrency: 64, idempotent: false },
        handle: (_data, { event }) => {
          const { at } = event.data as { at: number };
          const since = committedAt.get(at);
          // One that arrives before the transaction's promise has resolved here took no time.
          delays.push(since === undefined ? 0 : performance.now() - since);
          committedAt.delete(at);
        },
      },
    });
    const transactions = transactionsOf(dataSource);
    let next = 0;
    const variant: Variant = {
      name: 'core-infra',
      async measure() {
        delays = [];
        const total = quick ? 1_000 : 10_000;
        const start = performance.now();
        const under: Promise<void>[] = [];
        for (let sent = 0; sent < total;) {
          const due = Math.min(total, Math.floor(((performance.now() - start) * PER_SECOND) / 1_000));
          for (; sent < due; sent += 1) {
            const at = (next += 1);
            under.push(
              transactions
                .run(() => bus.publish(stepped.of({ key: `key-${at % 500}`, at })))
                .then(() => void committedAt.set(at, performance.now())),
            );
          }
          await new Promise(resolve => setTimeout(resolve, 1));
        }
        await Promise.all(under);
        const tookMs = performance.now() - start;
        while (delays.length < total) await new Promise(resolve => setTimeout(resolve, 5));
        committedAt.clear();
        const sorted = delays.toSorted((a, b) => a - b);
        return {
          p50: sorted[Math.floor(total * 0.5)]!,
          p99: sorted[Math.floor(total * 0.99)]!,
          perSecond: (total * 1_000) / tookMs,
        };
      },
    };
    return {
      variants: [variant],
      async close() {
        await app.close();
        await server.dispose();
      },
    };
  },
};
