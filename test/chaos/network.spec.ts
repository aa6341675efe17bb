import { setTimeout as sleep } from 'node:timers/promises';
import { usePostgres, useTcpProxy, useToxiproxy } from '@core-infra/testing';
import { forBrokers } from './support/brokers.js';
import { isLong } from './support/size.js';
import { expectFlawless, Stage } from './support/stage.js';

const EACH_MS = isLong ? 30_000 : 3_000;

describe('a network that fails between the broker and its workers and relays', () => {
  const postgres = usePostgres();

  forBrokers(
    broker => {
      // Kafka has to know where its clients are sent before it starts, and Toxiproxy what it sends them to: between them is a relay that learns it later.
      let isThere = false;
      const relay = useTcpProxy(() => (isThere ? (server?.address ?? postgres.adminUrl) : 'tcp://127.0.0.1:1'));
      const network = useToxiproxy(() => relay.url);
      const via = (): string => new URL(network.url).host;
      const server = broker.own(via);
      beforeAll(() => void (isThere = true));

      it(
        'resets, is slow, is down and goes silent: nothing is lost, doubled or inverted',
        async () => {
          const direct = await postgres.createDatabase();
          const url = new URL(direct);
          url.host = via();
          await using stage = await Stage.open(broker, direct, { ...(server?.env ?? { DATABASE_URL: url.href }) });
          await stage.troupe.perform();
          await stage.progress();
          const faults: [string, () => Promise<void>][] = [
            ['reset', () => network.resetPeer()],
            ['slow', () => network.latency(2_000)],
            ['down', () => network.down()],
            ['half-open', () => network.halfOpen()],
          ];
          for (const [, begin] of faults) {
            await begin();
            await sleep(EACH_MS);
            await network.heal();
            await stage.progress();
          }
          expectFlawless(await stage.finish(faults.map(([name]) => name).join(', ')), stage);
        },
        240_000 + 8 * EACH_MS,
      );
    },
    { usually: ['kafka', 'nats'] },
  );
});
