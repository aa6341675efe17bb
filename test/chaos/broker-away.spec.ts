import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, usePostgres } from '@core-infra/testing';
import { chosenBrokers } from './support/brokers.js';
import { expectFlawless, Stage } from './support/stage.js';

const AWAY_MS = 60_000;
/** So many events are published while it is away. */
const ENOUGH = 50;

// Where the database is the broker, nothing can be published without it.
const chosen = chosenBrokers({ names: ['kafka', 'rabbitmq', 'nats'] });

(chosen.length > 0 ? describe : describe.skip)(`a broker that is away at boot, and for ${AWAY_MS / 1_000} s`, () => {
  const postgres = usePostgres();
  const away = chosen.map(broker => ({ broker, server: broker.own()! }));
  const stages = new Map<string, Stage>();

  let gone = 0;
  /** Resolves when enough waits for the broker to be worth a look, however long the apps took to boot. */
  const published = (stage: Stage, name: string): Promise<void> =>
    eventually(
      async () => {
        const { sent } = await stage.check();
        if (sent <= ENOUGH)
          throw new Error(`Waited for ${ENOUGH} events published without ${name}; there are ${sent}.`);
      },
      { timeoutMs: 120_000, intervalMs: 1_000 },
    );

  // All of them at once, so that the minute passes once.
  beforeAll(async () => {
    await Promise.all(
      away.map(async ({ broker, server }) => {
        await server.stop();
        gone = performance.now();
        const stage = await Stage.open(broker, await postgres.createDatabase(), {
          ...server.env,
          // What is caught up with takes time as well: about ten a second are enough.
          CHAOS_REST_MS: '200',
        });
        stages.set(broker.name, stage);
        await stage.troupe.add('worker,relay');
        await stage.troupe.add('producer');
      }),
    );
    // Counted from when the last of the brokers was gone; the apps have booted meanwhile.
    await sleep(Math.max(0, gone + AWAY_MS - performance.now()));
    await Promise.all(Array.from(stages, ([name, stage]) => published(stage, name)));
    // Who waits for its turn has no more to catch up with.
    await Promise.all(Array.from(stages.values(), ({ troupe }) => troupe.pause()));
  }, 300_000 + AWAY_MS);
  afterAll(() => Promise.all(Array.from(stages.values(), stage => stage[Symbol.asyncDispose]())));

  it.each(away)(
    'lets apps boot and publish; everything arrives once $broker.name is back',
    async ({ broker, server }) => {
      const stage = stages.get(broker.name)!;
      const meanwhile = await stage.check();
      expect(meanwhile.sent).toBeGreaterThan(ENOUGH);
      expect(meanwhile.effects).toBe(0);
      await server.start();
      stage.troupe.resume();
      await stage.progress();
      expectFlawless(await stage.finish(`away for ${AWAY_MS / 1_000} s at boot`), stage);
    },
    600_000,
  );
});
