import { setTimeout as sleep } from 'node:timers/promises';
import { usePostgres } from '@core-infra/testing';
import { chosenBrokers } from './support/brokers.js';
import { expectFlawless, Stage } from './support/stage.js';

const AWAY_MS = 60_000;

// Where the database is the broker, nothing can be published without it.
const chosen = chosenBrokers({ names: ['kafka', 'rabbitmq', 'nats'] });

(chosen.length > 0 ? describe : describe.skip)(`a broker that is away at boot, and for ${AWAY_MS / 1_000} s`, () => {
  const postgres = usePostgres();
  const away = chosen.map(broker => ({ broker, server: broker.own()! }));
  const stages = new Map<string, Stage>();

  // All of them at once, so that the minute passes once.
  beforeAll(async () => {
    await Promise.all(
      away.map(async ({ broker, server }) => {
        await server.stop();
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
    await sleep(AWAY_MS);
    // Who waits for its turn has no more to catch up with.
    await Promise.all(Array.from(stages.values(), ({ troupe }) => troupe.pause()));
  }, 300_000 + AWAY_MS);
  afterAll(() => Promise.all(Array.from(stages.values(), stage => stage[Symbol.asyncDispose]())));

  it.each(away)(
    'lets apps boot and publish; everything arrives once $broker.name is back',
    async ({ broker, server }) => {
      const stage = stages.get(broker.name)!;
      const meanwhile = await stage.check();
      expect(meanwhile.sent).toBeGreaterThan(50);
      expect(meanwhile.effects).toBe(0);
      await server.start();
      stage.troupe.resume();
      await stage.progress();
      expectFlawless(await stage.finish(`away for ${AWAY_MS / 1_000} s at boot`), stage);
    },
    600_000,
  );
});
