import { join } from 'node:path';
import { RabbitmqClient } from '@core-infra/rabbitmq';
import { type Child, eventually, runChild, uniqueName, useRabbitmq } from '@core-infra/testing';
import { EventBus, MessagingHub } from '../../src/index.js';
import { bootRabbitmq } from './fixtures/boot-rabbitmq.js';
import { distinct, handlerOf, inversions, type Step, stepsOf } from './fixtures/steps.js';

jest.setTimeout(90_000);

const server = useRabbitmq();
const keys = 40;

function begun(children: readonly Child[]): Step[] {
  return children
    .flatMap(({ stdout }) => stdout.map(line => /^step (\d+) (\S+) (\d+)$/.exec(line)))
    .flatMap(match => (match ? [{ time: BigInt(match[1]!), key: match[2]!, at: Number(match[3]) }] : []))
    .toSorted((a, b) => (a.time < b.time ? -1 : 1));
}

describe('members of a group', () => {
  it('lose nothing when one of them is killed, and keep the order of each key as partitions change hands', async () => {
    const type = uniqueName('steps');
    const steps = stepsOf(type);
    const start = async (): Promise<Child> => {
      const child = runChild(join(__dirname, 'fixtures/worker.main.ts'), { args: [server.url, type, type] });
      await child.waitForLine(/^ready$/);
      return child;
    };
    await using app = await bootRabbitmq(server.url);
    const bus = app.get(EventBus);
    const first = await start();
    const events = Array.from({ length: 3_000 }, (_, index) =>
      steps.of({ key: `key-${index % keys}`, at: Math.floor(index / keys) }),
    );
    let published = 0;
    const publish = async (count: number): Promise<void> => {
      await bus.publishBatch(events.slice(published, (published += count)));
    };
    await publish(500);
    const second = await start();
    await eventually(
      async () => {
        await publish(20);
        expect(begun([second]).length).toBeGreaterThan(50);
      },
      { timeoutMs: 20_000, intervalMs: 100 },
    );
    first.kill('SIGKILL');
    await first.exit;
    const killed = begun([first]).length;
    expect(killed).toBeGreaterThan(50);
    await publish(500);
    const third = await start();
    await eventually(
      async () => {
        await publish(20);
        expect(begun([third]).length).toBeGreaterThan(50);
      },
      { timeoutMs: 20_000, intervalMs: 100 },
    );
    await publish(events.length - published);
    const all = [first, second, third];
    await eventually(() => expect(distinct(begun(all))).toBe(events.length), { timeoutMs: 40_000 });
    expect(inversions(begun(all))).toEqual([]);
    // What the killed one had done and the broker did not know of: one message of each key at most.
    expect(begun(all).length - events.length).toBeLessThanOrEqual(2 * keys);
  });

  it('have equal shares of the partitions, whoever comes and goes', async () => {
    const steps = stepsOf(uniqueName('shares'));
    const boot = () => bootRabbitmq(server.url, { group: steps.type }, [handlerOf(steps, () => undefined)]);
    const shares = (...apps: Awaited<ReturnType<typeof boot>>[]) =>
      // One more each: what the group gets again.
      apps.map(app => [...app.get(MessagingHub).members][0]!.state.partitions - 1).toSorted((a, b) => a - b);
    const waiting = { timeoutMs: 20_000 };
    const first = await boot();
    await eventually(() => expect(shares(first)).toEqual([8]), waiting);
    await using second = await boot();
    await eventually(() => expect(shares(first, second)).toEqual([4, 4]), waiting);
    await using third = await boot();
    await eventually(() => expect(shares(first, second, third)).toEqual([2, 3, 3]), waiting);
    await first.close();
    await eventually(() => expect(shares(second, third)).toEqual([4, 4]), waiting);
  });

  it('tell what waits for them', async () => {
    const steps = stepsOf(uniqueName('backlog'));
    let go = (): void => undefined;
    const gate = new Promise<void>(resolve => (go = resolve));
    await using app = await bootRabbitmq(server.url, { group: steps.type, consumers: { maxInFlight: 10 } }, [
      handlerOf(steps, () => gate),
    ]);
    await app.get(EventBus).publishBatch(Array.from({ length: 60 }, (_, at) => steps.of({ key: `key-${at}`, at })));
    const [member] = app.get(MessagingHub).members;
    await eventually(async () => {
      const [{ topic, messages } = { topic: '', messages: 0 }] = await member!.backlog(AbortSignal.timeout(5_000));
      expect([topic, messages + member!.state.inFlight]).toEqual([steps.type, 60]);
      expect(member!.state.inFlight).toBeLessThanOrEqual(10);
    });
    go();
    await eventually(async () =>
      expect(await member!.backlog(AbortSignal.timeout(5_000))).toEqual([{ topic: steps.type, messages: 0 }]),
    );
  });

  it('make the queues again that somebody has deleted', async () => {
    const steps = stepsOf(uniqueName('deleted'));
    const seen: string[] = [];
    await using app = await bootRabbitmq(server.url, { group: steps.type }, [
      handlerOf(steps, ({ key }) => void seen.push(key)),
    ]);
    const bus = app.get(EventBus);
    await app.get(RabbitmqClient).withChannel(async channel => {
      for (let number = 0; number < 8; number += 1) await channel.deleteQueue(`${steps.type}:${steps.type}:${number}`);
    });
    await expect(bus.publish(steps.of({ key: 'lost', at: 0 }))).rejects.toMatchObject({
      code: 'INFRA_RABBITMQ_UNROUTABLE',
    });
    await eventually(() => bus.publish(steps.of({ key: 'kept', at: 1 })), { timeoutMs: 20_000, intervalMs: 200 });
    await eventually(() => expect(seen).toEqual(['kept']), { timeoutMs: 20_000 });
  });
});
