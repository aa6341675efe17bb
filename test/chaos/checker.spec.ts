import { usePostgres } from '@core-infra/testing';
import { forBrokers } from './support/brokers.js';
import type { Checked } from './support/checker.js';
import { Stage } from './support/stage.js';
import type { Cast } from './support/troupe.js';

function faultsOf({ lost, duplicated, invented, inverted }: Checked): Partial<Checked> {
  const all = Object.entries({ lost, duplicated, invented, inverted });
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

describe('the checker', () => {
  const postgres = usePostgres();

  forBrokers(
    broker => {
      /** What is found with such a worker and such a publisher. */
      const play = async (worker: Cast, publisher: Cast = 'producer,relay', kills = 0): Promise<Partial<Checked>> => {
        // The partitions of who was killed are free again soon.
        const env = { MESSAGING_POSTGRES_LEASE_MS: '2000' };
        await using stage = await Stage.open(broker, await postgres.createDatabase(), env);
        const { troupe } = stage;
        await troupe.add(worker);
        await troupe.add(publisher);
        await stage.progress(100);
        for (let left = kills; left > 0; left -= 1) {
          await troupe.kill(worker);
          await stage.progress(100);
        }
        return faultsOf(await stage.finish(`${worker} and ${publisher}`, 5_000));
      };

      it('finds nothing where nothing is wrong', async () => {
        expect(await play('worker')).toEqual({});
      }, 300_000);

      it('sees what a worker loses that acknowledges before it has done anything', async () => {
        expect(await play('hasty', 'producer,relay', 1)).toMatchObject({ lost: expect.any(Number) });
      }, 300_000);

      it('sees the effects that a worker doubles that has them outside of its transaction', async () => {
        expect(await play('repeating')).toEqual({ duplicated: expect.any(Number) });
      }, 300_000);

      it('sees what is out of order when later events of a key overtake the first, which fails until they do', async () => {
        expect(await play('overtaking')).toEqual({ inverted: expect.any(Number) });
      }, 300_000);

      it('sees the effects of what was never sent, since its transaction was taken back', async () => {
        expect(await play('worker', 'rash,relay')).toEqual({ invented: expect.any(Number) });
      }, 300_000);
    },
    { names: ['postgres'] },
  );
});
