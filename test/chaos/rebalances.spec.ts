import { join } from 'node:path';
import { runChild, usePostgres } from '@core-infra/testing';
import { forBrokers } from './support/brokers.js';
import { INJECTIONS } from './support/size.js';
import { expectFlawless, Stage } from './support/stage.js';
import { toSay, within } from './support/within.js';

/**
 * Each is two rebalances: the others share with it, and share what it had. What was settled behind a message that waits for its next attempt is not
 * committed, and comes again to whoever has the partition then: these are the wire duplicates that are printed.
 */
const VISITS = INJECTIONS;

describe('a member that joins a group and leaves it again and again', () => {
  const postgres = usePostgres();

  forBrokers(
    broker => {
      const env = broker.shared();

      it(
        'costs no event, doubles no effect and inverts nothing within a key',
        async () => {
          await using stage = await Stage.open(broker, await postgres.createDatabase(), {
            ...env(),
            // Members learn from the heartbeat that they have to share anew.
            KAFKA_CONSUMER_HEARTBEAT_INTERVAL_MS: '100',
          });
          const { troupe } = stage;
          await troupe.perform();
          await stage.progress();
          const guest = runChild(join(__dirname, 'fixtures/guest.main.ts'), {
            env: { ...troupe.env, ROLE: 'worker', CHAOS_VISITS: String(VISITS), NODE_ENV: 'test', LOG_LEVEL: 'warn' },
          });
          await toSay(guest, /^visited$/, 60_000 + VISITS * 8_000);
          expect(await within(() => 'the guest to end', guest.exit)).toEqual({ code: 0, signal: null });
          expectFlawless(await stage.finish(`${2 * VISITS} rebalances`), stage);
        },
        120_000 + VISITS * 10_000,
      );
    },
    { names: ['kafka'] },
  );
});
