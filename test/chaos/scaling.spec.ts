import { usePostgres } from '@core-infra/testing';
import { forBrokers } from './support/brokers.js';
import { expectFlawless, Stage } from './support/stage.js';

describe('workers scaled from 1 to 4 to 2 under load', () => {
  const postgres = usePostgres();

  forBrokers(
    broker => {
      const env = broker.shared();

      it('lose no event, double no effect and invert nothing within a key', async () => {
        await using stage = await Stage.open(broker, await postgres.createDatabase(), env());
        const { troupe } = stage;
        await troupe.add('worker');
        await Promise.all([troupe.add('relay'), troupe.add('producer')]);
        await stage.progress();
        await Promise.all([troupe.add('worker'), troupe.add('worker'), troupe.add('worker')]);
        await stage.progress(200);
        await troupe.end('worker', 2);
        await stage.progress(200);
        expectFlawless(await stage.finish('1, 4, 2 workers'), stage);
      }, 240_000);
    },
    { usually: ['kafka'] },
  );
});
