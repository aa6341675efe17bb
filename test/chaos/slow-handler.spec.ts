import { eventually, usePostgres } from '@core-infra/testing';
import { forBrokers } from './support/brokers.js';
import { query, Stage } from './support/stage.js';
import { toSay } from './support/within.js';

const MIB = 1024 * 1024;
const PARCELS = 1_000;
/** 100 MB in all. */
const PARCEL_BYTES = 100_000;
const MAX_BYTES_IN_FLIGHT = 8 * MIB;
/**
 * In flight are 14 MiB at most, as up to 64 messages are handed over at once, each of them as bytes and as data; 6 MiB are fetched ahead. What was
 * fetched at once, 10 MiB at most, is one buffer, kept for as long as any message of it, and there twice while it comes in. With what the first
 * messages bring into the heap for good, that was 44 to 58 MiB. A backlog that is kept is 200 MiB, as bytes and as data.
 */
const MOST_GROWTH = 64 * MIB + MAX_BYTES_IN_FLIGHT;

interface Memory {
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
}

describe('a slow handler before a backlog of 100 MB', () => {
  const postgres = usePostgres();

  forBrokers(
    broker => {
      const env = broker.shared();

      it('is fed in bounded memory', async () => {
        await using stage = await Stage.open(broker, await postgres.createDatabase(), {
          ...env(),
          CHAOS_PARCELS: String(PARCELS),
          CHAOS_PARCEL_BYTES: String(PARCEL_BYTES),
          CHAOS_BYTES_IN_FLIGHT: String(MAX_BYTES_IN_FLIGHT),
          // RabbitMQ counts messages and not bytes: it sends ahead what `maxInFlight` allows, however large it is.
          CHAOS_IN_FLIGHT: String(broker.name === 'rabbitmq' ? Math.floor(MAX_BYTES_IN_FLIGHT / PARCEL_BYTES) : 1_000),
        });
        const { troupe } = stage;
        // Where groups get what is published once they are there, this one has to be there.
        const first = await troupe.add('slow');
        await toSay(first, /^announced/);
        await troupe.end('slow');
        const shipper = await troupe.add('shipper');
        await toSay(shipper, /^shipped/);
        await troupe.end('shipper');

        const slow = await troupe.add('slow');
        await eventually(
          async () =>
            expect(
              await query(stage.url, 'SELECT count(DISTINCT n)::int AS parcels FROM chaos_calls WHERE n >= 0'),
            ).toEqual([{ parcels: PARCELS }]),
          { timeoutMs: 400_000, intervalMs: 500 },
        );
        const measured = slow.stdout.flatMap(line => {
          const [, json] = /^memory (.+)$/.exec(line) ?? [];
          return json === undefined ? [] : [JSON.parse(json) as Memory];
        });
        const used = measured.map(({ heapUsed, external }) => heapUsed + external);
        const growth = Math.max(...used) - used[0]!;
        const peak = Math.max(...measured.map(({ rss }) => rss));
        process.stdout.write(
          `${broker.name}: 100 MB handled with at most ${Math.round(growth / MIB)} MiB more of heap and buffers, RSS ${Math.round(peak / MIB)} MiB\n`,
        );
        expect(growth).toBeLessThan(MOST_GROWTH);
      }, 800_000);
    },
    { names: ['kafka', 'rabbitmq'], usually: ['kafka'] },
  );
});
