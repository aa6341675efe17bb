import { startPostgres } from '@core-infra/testing';
import type { BenchCase, Variant } from '../harness/bench-case.js';
import { bootBus, stepped, type Step } from '../servers/bus-app.js';

export const orderedPoison: BenchCase = {
  name: 'ordered-poison',
  about:
    'Events of 1,000 keys, handled eight at once by a handler that waits a millisecond (memory driver, parked keys in PostgreSQL). *5 % poison*: every twentieth key fails at each attempt, and waits ' +
    'in order with all its later events. How fast the events of the other keys go through.',
  rounds: 5,
  metrics: [{ key: 'perSecond', label: 'Events of good keys', unit: '/s', digits: 0 }],
  goals: [{ metric: 'perSecond', variant: '5 % poison', against: { variant: 'no poison', as: 'ratio' }, atLeast: 0.9 }],
  async open({ quick }) {
    const server = await startPostgres();
    let poison = false;
    let good = 0;
    const isBad = (at: number): boolean => (at % 1_000) % 20 === 0;
    const { app, bus, dataSource } = await bootBus(server.url, {
      messaging: { retry: { firstDelayMs: 2_000, maxDelayMs: 60_000 } },
      handler: {
        options: { concurrency: 8, idempotent: false },
        handle: async data => {
          const { at } = data as Step;
          if (isBad(at)) {
            if (poison) throw new Error('poison');
            return;
          }
          await new Promise(resolve => setTimeout(resolve, 1));
          good += 1;
        },
      },
    });
    let run = 0;
    const variant = (name: string, isPoisoned: boolean): Variant => ({
      name,
      async measure() {
        poison = isPoisoned;
        good = 0;
        run += 1;
        const total = quick ? 4_000 : 20_000;
        const start = performance.now();
        for (let from = 0; from < total; from += 1_000)
          await bus.publishBatch(
            Array.from({ length: 1_000 }, (_, at) => stepped.of({ key: `${run}-${at % 1_000}`, at: from + at })),
          );
        const expected = (total * 19) / 20;
        while (good < expected) await new Promise(resolve => setTimeout(resolve, 2));
        const tookMs = performance.now() - start;
        poison = false;
        await dataSource.query('DELETE FROM messaging_parked');
        return { perSecond: (expected * 1_000) / tookMs };
      },
    });
    return {
      variants: [variant('5 % poison', true), variant('no poison', false)],
      async close() {
        await app.close();
        await server.dispose();
      },
    };
  },
};
