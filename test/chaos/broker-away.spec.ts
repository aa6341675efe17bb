import { setTimeout as sleep } from 'node:timers/promises';
import { usePostgres } from '@core-infra/testing';
import { forBrokers } from './support/brokers.js';
import { isLong } from './support/size.js';
import { expectFlawless, Stage } from './support/stage.js';

const AWAY_MS = isLong ? 60_000 : 10_000;

describe('a broker that is away at boot, and for a while', () => {
  const postgres = usePostgres();

  // Where the database is the broker, nothing can be published without it.
  forBrokers(
    broker => {
      const server = broker.own()!;

      it(
        'lets apps boot and publish; everything arrives once it is back',
        async () => {
          await server.stop();
          await using stage = await Stage.open(broker, await postgres.createDatabase(), server.env);
          await stage.troupe.perform();
          await sleep(AWAY_MS);
          const meanwhile = await stage.check();
          expect(meanwhile.sent).toBeGreaterThan(50);
          expect(meanwhile.effects).toBe(0);
          await server.start();
          await stage.progress();
          expectFlawless(await stage.finish(`away for ${AWAY_MS / 1_000} s at boot`), stage);
        },
        180_000 + 2 * AWAY_MS,
      );
    },
    { names: ['kafka', 'rabbitmq', 'nats'], usually: ['rabbitmq'] },
  );
});
