import { usePostgres } from '@core-infra/testing';
import { forBrokers } from './support/brokers.js';
import { isLong } from './support/size.js';
import { expectFlawless, Stage } from './support/stage.js';

const ROUNDS = isLong ? 20 : 1;

describe('SIGTERM to workers and relays, one after the other, under load', () => {
  const postgres = usePostgres();

  forBrokers(
    broker => {
      const env = broker.shared();

      it(
        'ends each with exit code 0; nothing is lost, doubled, inverted, nor delivered twice',
        async () => {
          await using stage = await Stage.open(broker, await postgres.createDatabase(), {
            ...env(),
            CHAOS_CALM: 'true',
          });
          const { troupe } = stage;
          await troupe.perform();
          await stage.progress();
          const exits = [];
          for (let round = 0; round < ROUNDS; round += 1) {
            exits.push(...(await troupe.roll('worker')), ...(await troupe.roll('relay')));
            await stage.progress();
          }
          exits.push(...(await troupe.end('producer')));
          expect(exits).toEqual(exits.map(() => ({ code: 0, signal: null })));
          const found = await stage.finish(`${exits.length} restarts`);
          expectFlawless(found, stage);
          // Who leaves in order has settled all that it was handed, or gives it back before it was begun.
          expect({ repeated: found.repeated, calls: found.calls }).toEqual({ repeated: 0, calls: found.sent });
        },
        180_000 + 120_000 * ROUNDS,
      );
    },
    { usually: ['postgres', 'rabbitmq'] },
  );
});
