import { setTimeout as sleep } from 'node:timers/promises';
import { usePostgres, usePostgresServer, useTcpProxy, useToxiproxy } from '@core-infra/testing';
import { type Broker, forBrokers, type OwnBroker } from './brokers.js';
import { randomOf, SEED, shuffled } from './seed.js';
import { INJECTIONS, isLong } from './size.js';
import { expectFlawless, Stage } from './stage.js';

const ROUNDS = isLong ? 20 : 1;
const FAULT_MS = isLong ? 30_000 : 2_000;

/** What a broker, its clients and their database go through under load. A file for each broker, so that they can be run side by side. */
export function underLoad(name: Broker['name']): void {
  forBrokers(
    broker => {
      describe('processes that come, go and are killed', () => processes(broker));
      describe('a network that fails between the broker and its workers and relays', () => network(broker));
    },
    { names: [name] },
  );
}

/** One stage: what is lost in one act is still lost in the next. */
function processes(broker: Broker): void {
  // What a crash takes back with `synchronous_commit=off` was never promised.
  const postgres = usePostgresServer({ keepsCommits: true });
  const server = broker.own();
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open(broker, await postgres.createDatabase(), server?.env);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  it('workers scaled from 1 to 4 to 2: nothing is lost, doubled or inverted', async () => {
    const { troupe } = stage;
    troupe.env.CHAOS_CALM = 'true';
    await troupe.perform(1);
    await stage.progress();
    await Promise.all([troupe.add('worker'), troupe.add('worker'), troupe.add('worker')]);
    await stage.progress(100);
    await troupe.end('worker', 2);
    await stage.progress(100);
    expectFlawless(await stage.finish('1, 4, 2 workers'), stage);
  }, 600_000);

  it(
    'SIGTERM to each, one after the other: it ends with 0; nothing is lost, doubled, inverted, nor handled twice',
    async () => {
      const { troupe } = stage;
      const before = await stage.check();
      troupe.resume();
      await stage.progress();
      const exits = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        exits.push(...(await Promise.all([troupe.roll('worker'), troupe.roll('relay')])).flat());
        await stage.progress();
      }
      expect(exits).toEqual(exits.map(() => ({ code: 0, signal: null })));
      const found = await stage.finish(`${exits.length} restarts`);
      expectFlawless(found, stage);
      // Who leaves in order has settled all that it was handed: on the wire it may come twice, to a handler it does not.
      expect(found.calls - before.calls).toBe(found.sent - before.sent);
    },
    300_000 + ROUNDS * 120_000,
  );

  it(
    'kill -9 of workers, relays, broker and database in random order: nothing is lost, doubled or inverted',
    async () => {
      const { troupe } = stage;
      const random = randomOf(SEED);
      const crash = async (crashed: Pick<OwnBroker, 'kill' | 'start'>): Promise<void> => {
        await crashed.kill('SIGKILL');
        await sleep(random() * 500);
        await crashed.start();
      };
      const kills = {
        worker: () => troupe.kill('worker', random),
        relay: () => troupe.kill('relay', random),
        database: () => crash(postgres),
        broker: () => crash(server!),
      };
      const deck = deckOf(server !== undefined);
      process.stdout.write(`${broker.name}: CHAOS_SEED=${SEED} ${JSON.stringify(countOf(deck))}\n`);

      await server?.settled?.();
      // Handlers of those who come from here on throw now and then.
      troupe.env.CHAOS_CALM = '';
      troupe.resume();
      await stage.progress();
      let at = 0;
      for (const victim of shuffled(deck, random)) {
        await kills[victim]();
        await sleep(100 + random() * 300);
        troupe.mend();
        // Nobody is killed for long before there was something to lose.
        if ((at += 1) % 10 === 0) await stage.progress(10);
      }
      const found = await stage.finish(`${deck.length} kills`);
      expectFlawless(found, stage);
      expect(found.sent).toBeGreaterThan(INJECTIONS);
    },
    600_000 + INJECTIONS * 10_000,
  );
}

type Victim = 'worker' | 'relay' | 'database' | 'broker';

function deckOf(hasBroker: boolean): Victim[] {
  const times = (victim: Victim, count: number): Victim[] => Array.from({ length: count }, () => victim);
  const few = Math.ceil(INJECTIONS * 0.08);
  const deck = [
    ...times('database', few),
    ...times('broker', hasBroker ? few : 0),
    ...times('relay', Math.floor(INJECTIONS * 0.32)),
  ];
  return [...deck, ...times('worker', INJECTIONS - deck.length)];
}

const countOf = (deck: readonly Victim[]): Partial<Record<Victim, number>> =>
  Object.fromEntries([...new Set(deck)].map(victim => [victim, deck.filter(other => other === victim).length]));

function network(broker: Broker): void {
  const postgres = usePostgres();
  // Kafka has to know where its clients are sent before it starts, and Toxiproxy what it sends them to: between them is a relay that learns it later.
  let isThere = false;
  const relay = useTcpProxy(() => (isThere ? (server?.address ?? postgres.adminUrl) : 'tcp://127.0.0.1:1'));
  const toxic = useToxiproxy(() => relay.url);
  const via = (): string => new URL(toxic.url).host;
  const server = broker.own(via);
  beforeAll(() => void (isThere = true));

  it(
    'resets, is slow, is parted and goes silent: nothing is lost, doubled or inverted',
    async () => {
      const direct = await postgres.createDatabase();
      const url = new URL(direct);
      url.host = via();
      await using stage = await Stage.open(broker, direct, server?.env ?? { DATABASE_URL: url.href });
      await stage.troupe.perform();
      await stage.progress();
      const faults: [string, () => Promise<void>][] = [
        ['reset', () => toxic.resetPeer()],
        ['slow', () => toxic.latency(1_500)],
        ['parted', () => toxic.down()],
        ['half-open', () => toxic.halfOpen()],
      ];
      for (const [, begin] of faults) {
        await begin();
        await sleep(FAULT_MS);
        await toxic.heal();
        await stage.progress();
      }
      expectFlawless(await stage.finish(faults.map(([fault]) => fault).join(', ')), stage);
    },
    600_000 + 8 * FAULT_MS,
  );
}
