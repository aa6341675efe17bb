import { useKafkaCluster, usePostgres } from '@core-infra/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { forBrokers } from './support/brokers.js';
import { INJECTIONS } from './support/size.js';
import { expectFlawless, Stage } from './support/stage.js';

const KILLS = Math.max(2, Math.ceil(INJECTIONS / 25));

describe('three brokers with min.insync.replicas=2, the leader killed under load', () => {
  forBrokers(
    broker => {
      const cluster = useKafkaCluster();
      const postgres = usePostgres();

      it(
        'loses no event, doubles no effect and inverts nothing within a key',
        async () => {
          await using stage = await Stage.open(broker, await postgres.createDatabase(), {
            KAFKA_BROKERS: cluster.brokers.join(','),
          });
          await stage.troupe.perform();
          await stage.progress();
          for (let at = 0; at < KILLS; at += 1) {
            const partition = at % 3;
            const dead = await cluster.killLeader(stage.name, partition);
            // Two of three are enough to write to and to read from.
            await stage.progress(100);
            expect(await cluster.leaderOf(stage.name, partition)).not.toBe(dead);
            await cluster.start(dead);
            await cluster.settled();
            await sleep(1_000); // its copies catch up, so that the next to die is not the only one that has them
          }
          expectFlawless(await stage.finish(`${KILLS} leaders killed`), stage);
        },
        240_000 + KILLS * 30_000,
      );
    },
    { names: ['kafka'] },
  );
});
