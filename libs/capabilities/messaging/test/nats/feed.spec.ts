import { Clock } from '@core-infra/kernel';
import { eventually } from '@core-infra/testing';
import { Feed } from '../../src/drivers/nats/feed.js';
import type { FeedSite } from '../../src/drivers/nats/feed-site.js';

/** A server whose answers arrive in the order that the spec wants, which cannot be had of a real one. */
class ServerInOrder {
  private deliver!: (error: null, message: object) => void;
  readonly requests: { batch: number }[] = [];
  /** Answers how many messages are unsettled, when the spec lets it. */
  info!: (unsettled: number) => void;

  readonly client = {
    isConnected: true,
    jetstream: { apiPrefix: '$JS.API' },
    connection: {
      subscribe: (_subject: string, { callback }: { callback: ServerInOrder['deliver'] }) => {
        this.deliver = callback;
        return { unsubscribe: () => undefined };
      },
      publish: (subject: string, body: string) => {
        if (subject.includes('.MSG.NEXT.')) this.requests.push(JSON.parse(body) as { batch: number });
      },
    },
    jetstreamManager: async () => ({
      consumers: {
        info: () =>
          new Promise(resolve => {
            this.info = unsettled => resolve({ num_ack_pending: unsettled });
          }),
      },
    }),
  };

  send(sequence: number): void {
    const reply = `$JS.ACK.S.C.1.${sequence}.${sequence}.1700000000000000000.0`;
    this.deliver(null, { reply, data: Buffer.from('{}') });
  }
}

describe('a partition that comes from another member', () => {
  it('is begun when all that the other has not settled is here, though newer messages arrive before it', async () => {
    const server = new ServerInOrder();
    const feed = new Feed(
      {
        client: server.client,
        clock: Clock.system,
        timeoutMs: 60_000,
        credit: () => 10,
        maxBytes: () => 1e6,
        largest: () => 1e6,
        filled: () => undefined,
        answers: { flush: () => undefined },
      } as unknown as FeedSite,
      { topic: 't', number: 0 },
      { stream: 'S', consumer: 'C' } as Feed['source'],
      1,
      false,
    );
    const handed = (): number[] => feed.take(10, 1e6).map(({ position }) => position);
    feed.open(0);
    // The other one has 1 and 2, and gives them back.
    await eventually(() => expect(server.info).toBeDefined());
    server.info(2);
    await eventually(() => expect(server.requests).toMatchObject([{ batch: 2 }]));
    // The server says how many are unsettled, and before that is read come two new ones, which it had not counted.
    const { info } = server;
    await eventually(() => expect(server.info).not.toBe(info));
    server.info(2);
    server.send(3);
    server.send(4);
    const second = server.info;
    await eventually(() => expect(server.info).not.toBe(second));
    expect(handed()).toEqual([]);
    server.info(4);
    await eventually(() => expect(server.requests).toMatchObject([{ batch: 2 }, { batch: 2 }]));
    server.send(1);
    server.send(2);
    await eventually(() => {
      server.info(4);
      expect(handed()).toEqual([1, 2, 3, 4]);
    });
    feed.close();
  });
});
