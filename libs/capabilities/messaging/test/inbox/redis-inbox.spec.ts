import { RedisClient, RedisModule } from '@core-infra/redis';
import { eventually, type HttpApp, uniqueName, useRedis } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import { IsString } from 'class-validator';
import { EventBus, defineEvent, InboxModule, MessageContext, MessagingHub, Subscribe } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';

const redis = useRedis();
class Order {
  @IsString() item!: string;
}
const placed = defineEvent('orders.placed', { schema: Order });
const event = (id: string) => placed.of({ item: 'tea' }, { id });

describe('inbox in Redis', () => {
  let app: HttpApp;
  let prefix: string;
  let seen: string[];
  let fail: boolean;
  const boot = (leaseMs = 60_000): Promise<HttpApp> => {
    @Controller()
    class Handlers {
      @Subscribe(placed, { retry: { firstDelayMs: 1, maxDelayMs: 5 } })
      handle(@Ctx() { event }: MessageContext): void {
        seen.push(event.id);
        if (fail) {
          fail = false;
          throw new Error('no stock');
        }
      }
    }
    return bootMessaging({
      controllers: [Handlers],
      imports: [RedisModule.forRoot({ url: redis.url, startup: 'require' }), InboxModule.forRoot({ prefix, leaseMs })],
      options: { group: 'stock' },
    });
  };
  beforeEach(async () => {
    prefix = `${uniqueName('inbox')}:`;
    seen = [];
    fail = false;
    app = await boot();
  });
  afterEach(() => app.close());
  const inbox = () => app.get<MessagingHub>(MessagingHub as never).stores.inbox!;
  const held = async (): Promise<(string | null)[]> => {
    const client = app.get(RedisClient);
    const keys = await client.keys(`${prefix}*`);
    return keys.length > 0 ? client.mget(...keys) : [];
  };

  it('has a handler skip what its group has handled', async () => {
    const bus = app.get(EventBus);
    await bus.publish(event('1'));
    await eventually(async () => expect(await held()).toEqual(['done']));
    await bus.publish(event('1'));
    await bus.publish(event('2'));
    await eventually(async () => expect(await held()).toEqual(['done', 'done']));
    expect(seen).toEqual(['1', '2']);
    expect(await app.get(RedisClient).pttl((await app.get(RedisClient).keys(`${prefix}*`))[0]!)).toBeGreaterThan(
      6 * 86_400_000,
    );
  });

  it('does not remember an attempt that failed', async () => {
    fail = true;
    await app.get(EventBus).publish(event('1'));
    await eventually(async () => expect(await held()).toEqual(['done']));
    expect(seen).toEqual(['1', '1']);
  });

  it('lets a second delivery wait for the end of the first, and has it skipped or handled by how that ended', async () => {
    for (const isDone of [true, false]) {
      const first = Promise.withResolvers<readonly number[]>();
      const begun = Promise.withResolvers<void>();
      const id = `at once ${isDone}`;
      const one = inbox().once('g', [id], () => {
        begun.resolve();
        return first.promise;
      });
      await begun.promise;
      const two = inbox().once('g', [id, 'other'], async fresh => {
        seen.push(fresh.join());
        return [];
      });
      first.resolve(isDone ? [] : [0]);
      expect([await one, await two]).toEqual([[], isDone ? [0] : [1]]);
    }
    // "other" was handled with the first of them; what failed was free for the second.
    expect(seen).toEqual(['1', '0']);
  });

  it('remembers of a batch what did not fail, and handles what is in it twice once', async () => {
    expect(await inbox().once('g', ['a', 'b', 'a', 'c'], async fresh => [fresh[1]!])).toEqual([2]);
    const again: number[] = [];
    const repeated = await inbox().once('g', ['a', 'b', 'c'], async fresh => {
      again.push(...fresh);
      return [];
    });
    expect([again, repeated]).toEqual([[1], [0, 2]]);
  });

  it('frees what a process that died was at work on, after its lease', async () => {
    await app.close();
    app = await boot(200);
    void inbox().once('g', ['x'], () => new Promise(() => undefined));
    await eventually(async () => expect(await held()).toHaveLength(1));
    expect(await inbox().once('g', ['x'], async () => [])).toEqual([]);
  });

  it('waits for somebody else no longer than the attempt may take, and holds nothing after', async () => {
    const first = Promise.withResolvers<readonly number[]>();
    const begun = Promise.withResolvers<void>();
    const one = inbox().once('g', ['x'], () => {
      begun.resolve();
      return first.promise;
    });
    await begun.promise;
    const attempt = new AbortController();
    const two = inbox().once('g', ['x', 'y'], async () => [], attempt);
    attempt.abort(new Error('over'));
    await expect(two).rejects.toThrow(/over|aborted/);
    expect(await inbox().once('g', ['y'], async () => [])).toEqual([]);
    first.resolve([]);
    expect(await one).toEqual([]);
  });
});
