import { eventually, usePostgres } from '@core-infra/testing';
import { Kafka, logLevel } from 'kafkajs';
import { forBrokers } from './support/brokers.js';
import { isLong } from './support/size.js';
import { query, Stage } from './support/stage.js';
import { toSay } from './support/within.js';

const EVENTS = isLong ? 1_000_000 : 100_000;

/** All that is in a topic, read without the libraries under test: keys and numbers, in the order of each partition. */
async function readAll(brokers: string, topic: string): Promise<{ key: string; n: number }[]> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `${topic}-reader` });
  const seen: { key: string; n: number }[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    // eslint-disable-next-line typescript/require-await -- as kafkajs has it
    eachBatch: async ({ batch }) => {
      for (const { value } of batch.messages) seen.push(JSON.parse(String(value)) as { key: string; n: number });
    },
  });
  await eventually(() => expect(seen.length).toBeGreaterThanOrEqual(EVENTS), { timeoutMs: 120_000, intervalMs: 200 });
  await consumer.disconnect();
  return seen;
}

describe(`an outbox with ${EVENTS} events that nobody has relayed`, () => {
  const postgres = usePostgres();

  forBrokers(
    broker => {
      const env = broker.shared();

      it('is drained by two relays: each event is in the topic once, those of a key in order', async () => {
        const { KAFKA_BROKERS: addresses } = env();
        await using stage = await Stage.open(broker, await postgres.createDatabase(), {
          ...env(),
          CHAOS_EVENTS: String(EVENTS),
        });
        const waiting = async (): Promise<number> =>
          Number((await query<{ count: string }>(stage.url, 'SELECT count(*) FROM messaging_outbox'))[0]!.count);
        const filler = await stage.troupe.add('filler');
        await toSay(filler, /^filled/, 300_000);
        expect(await waiting()).toBe(EVENTS);

        await Promise.all([stage.troupe.add('relay'), stage.troupe.add('relay')]);
        await eventually(async () => expect(await waiting()).toBeLessThan(EVENTS), { timeoutMs: 60_000 });
        const [before, since] = [await waiting(), performance.now()];
        await eventually(async () => expect(await waiting()).toBe(0), { timeoutMs: 600_000, intervalMs: 100 });
        const rate = Math.round(before / ((performance.now() - since) / 1_000));
        process.stdout.write(`${broker.name}: the last ${before} of ${EVENTS} events drained at ${rate} a second\n`);

        const last = new Map<string, number>();
        for (const { key, n } of await readAll(addresses!, stage.name)) {
          // Each is one more than the one before: none is missing, twice there, or too early.
          if (n !== (last.get(key) ?? -1) + 1) throw new Error(`${key}: ${n} comes after ${last.get(key)}`);
          last.set(key, n);
        }
        expect([...last.values()]).toEqual(Array.from(last, () => EVENTS / last.size - 1));
      }, 900_000);
    },
    { names: ['kafka'] },
  );
});
