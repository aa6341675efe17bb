import { RabbitmqClient } from '@core-infra/rabbitmq';
import { eventually, uniqueName, useRabbitmqServer } from '@core-infra/testing';
import { EventBus, MessagingHub } from '../../src/index.js';
import { bootRabbitmq } from './fixtures/boot-rabbitmq.js';
import { handlerOf, type Step, stepsOf } from './fixtures/steps.js';

jest.setTimeout(60_000);

const server = useRabbitmqServer({
  config: ['max_message_size = 100000'],
  users: [
    { name: 'reader', password: 'r', vhosts: { '/': { configure: '^$' } } },
    { name: 'writer', password: 'w', vhosts: { '/': { write: '^$' } } },
  ],
});

async function failure(work: Promise<unknown>): Promise<Error & { code?: string; cause?: unknown }> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as Error,
  );
}

const chain = (error: unknown): string => (error instanceof Error ? `${error.message} ${chain(error.cause)}` : '');

describe('what is refused', () => {
  it('names a virtual host that is not there', async () => {
    const begun = performance.now();
    const error = await failure(bootRabbitmq(server.urlFor(server.user, server.password, 'nowhere')));
    expect(chain(error)).toContain('has no virtual host nowhere');
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it('names what may not be declared', async () => {
    const begun = performance.now();
    const error = await failure(bootRabbitmq(server.urlFor('reader', 'r')));
    expect(chain(error)).toContain('reader may not do that to exchange events');
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it('names where a user may not publish, and the queue that a group may not have', async () => {
    const steps = stepsOf(uniqueName('steps'));
    await using owner = await bootRabbitmq(server.url, { group: steps.type }, [handlerOf(steps, () => undefined)]);
    expect(owner.get(RabbitmqClient).isConnected).toBe(true);
    const begun = performance.now();
    await using app = await bootRabbitmq(server.urlFor('writer', 'w'), { group: `${steps.type}-other` }, [
      handlerOf(steps, () => undefined),
    ]);
    const error = await failure(app.get(EventBus).publish(steps.of({ key: 'a', at: 1 })));
    expect(error.message).toContain('writer may not do that to exchange events');
    const [member] = app.get(MessagingHub).members;
    await eventually(() => expect(member!.state.trouble?.message).toMatch(/writer may not do that to queue .*-other:/));
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it('tells of an event that nobody has subscribed to, unless it may be dropped', async () => {
    const steps = stepsOf(uniqueName('steps'));
    await using app = await bootRabbitmq(server.url);
    const error = await failure(app.get(EventBus).publish(steps.of({ key: 'a', at: 1 })));
    expect(error).toMatchObject({ code: 'INFRA_RABBITMQ_UNROUTABLE' });
    // So an outbox offers it for a minute only.
    const { driver } = app.get(MessagingHub);
    expect([driver.isUnheard!(error), driver.isUnheard!(new Error('other'))]).toEqual([true, false]);
    await using careless = await bootRabbitmq(server.url, { rabbitmq: { unroutable: 'drop' } });
    await careless.get(EventBus).publish(steps.of({ key: 'a', at: 1 }));
  });

  it('names an event that is larger than the broker takes, its size and the limit', async () => {
    const steps = stepsOf(uniqueName('large'));
    await using app = await bootRabbitmq(server.url, { group: steps.type }, [handlerOf(steps, () => undefined)]);
    const publish = (key: string) => app.get(EventBus).publish(steps.of({ key, at: 1 }, { key: 'k' }));
    const error = await failure(publish('x'.repeat(100_000)));
    expect(error).toMatchObject({ code: 'INFRA_EVENT_TOO_LARGE', fault: 'client', limit: 100_000 });
    expect(error.message).toMatch(/The event "large.*" has 1000\d\d bytes, and messages may have 100000/);
    await publish('small');
  });

  it('does not publish the later events of a key when one of it is refused, and goes on with other keys', async () => {
    const steps = stepsOf(uniqueName('steps'));
    const nobody = stepsOf(uniqueName('nobody'));
    const seen: string[] = [];
    const handler = handlerOf(steps, ({ key, at }: Step) => void seen.push(`${key}-${at}`));
    await using app = await bootRabbitmq(server.url, { group: steps.type }, [handler]);
    const error = await failure(
      app
        .get(EventBus)
        .publishBatch([
          steps.of({ key: 'a', at: 0 }),
          nobody.of({ key: 'a', at: 1 }),
          steps.of({ key: 'a', at: 2 }),
          steps.of({ key: 'b', at: 3 }),
        ]),
    );
    expect(error).toMatchObject({ failures: [{ index: 1 }, { index: 2 }] });
    await eventually(() => expect(seen.toSorted()).toEqual(['a-0', 'b-3']));
  });

  it('keeps the partitions that a group has, whatever a later member is told', async () => {
    const steps = stepsOf(uniqueName('steps'));
    const boot = (partitions: number) =>
      bootRabbitmq(server.url, { group: steps.type, rabbitmq: { partitions } }, [handlerOf(steps, () => undefined)]);
    await using first = await boot(3);
    await using second = await boot(5);
    const share = (app: typeof first) => [...app.get(MessagingHub).members][0]!.state.partitions - 1;
    await eventually(() => expect(share(second)).toBeGreaterThan(0), { timeoutMs: 15_000 });
    await eventually(() => expect(share(first) + share(second)).toBe(3), { timeoutMs: 15_000 });
  });
});
