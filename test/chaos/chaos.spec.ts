import { setTimeout as sleep } from 'node:timers/promises';
import { usePostgresServer } from '@core-infra/testing';
import { forBrokers, type OwnBroker } from './support/brokers.js';
import { INJECTIONS } from './support/size.js';
import { expectFlawless, Stage } from './support/stage.js';

type Kill = () => Promise<void>;

/** Kills somebody so many times, in random order: `weights` says who, and how often of a hundred. */
async function injure(times: number, weights: readonly [name: string, weight: number, kill: Kill][]): Promise<string> {
  const kills: Record<string, number> = {};
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (let at = 0; at < times; at += 1) {
    let dice = Math.random() * total;
    const [name, , kill] = weights.find(([, weight]) => (dice -= weight) < 0) ?? weights[0]!;
    kills[name] = (kills[name] ?? 0) + 1;
    await kill();
    await sleep(100 + Math.random() * 500);
  }
  return JSON.stringify(kills);
}

describe('kill -9 of workers, relays, broker and database in random order under load', () => {
  // What a crash takes back with `synchronous_commit=off` was never promised.
  const postgres = usePostgresServer({ keepsCommits: true });

  const crash = async (server: Pick<OwnBroker, 'kill' | 'start'>): Promise<void> => {
    await server.kill('SIGKILL');
    await sleep(Math.random() * 500);
    await server.start();
  };

  forBrokers(broker => {
    const server = broker.own();

    it(
      'loses no event, doubles no effect and inverts nothing within a key',
      async () => {
        await using stage = await Stage.open(broker, await postgres.createDatabase(), server?.env);
        const { troupe } = stage;
        await troupe.perform();
        await stage.progress(20);
        await server?.settled?.();
        const kills = await injure(INJECTIONS, [
          ['worker', 45, () => troupe.kill('worker')],
          ['relay', 30, () => troupe.kill('relay')],
          [
            'database',
            server ? 12 : 25,
            async () => {
              await crash(postgres);
              await troupe.mend();
            },
          ],
          ['broker', server ? 13 : 0, () => crash(server!)],
        ]);
        const found = await stage.finish(`kills ${kills}`);
        expectFlawless(found, stage);
        expect(found.sent).toBeGreaterThan(INJECTIONS);
      },
      600_000 + INJECTIONS * 10_000,
    );
  });

  forBrokers(
    broker =>
      it('is seen by the checker when a worker acknowledges before it has done anything', async () => {
        await using stage = await Stage.open(broker, await postgres.createDatabase());
        await stage.troupe.perform('hasty');
        await stage.progress(20);
        await injure(6, [['worker', 1, () => stage.troupe.kill('hasty')]]);
        const { lost } = await stage.finish('a hasty worker', 5_000);
        expect(lost).toBeGreaterThan(0);
      }, 300_000),
    { names: ['postgres'] },
  );
});
