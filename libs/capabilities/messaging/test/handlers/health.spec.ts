import { type CheckResult, Connections } from '@core-infra/kernel';
import { eventually } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { hubOf } from '../../src/bus/open-bus.js';
import { EventBus, type MessagingOptions, Subscribe } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';
import { defineEvent } from '../../src/index.js';
import { IsInt } from 'class-validator';
import type { HttpApp } from '@core-infra/testing';

class Data {
  @IsInt() at!: number;
}
const ticked = defineEvent('ticked', { schema: Data });

const check = (app: HttpApp): Promise<CheckResult | void> => {
  const found = app
    .get(Connections)
    .checks()
    .find(({ name }) => name === 'messaging')!;
  return Promise.resolve(found.run());
};

async function booted(options: MessagingOptions): Promise<{ app: HttpApp; end: () => void }> {
  let end = (): void => undefined;
  const ended = new Promise<void>(resolve => (end = resolve));
  @Controller()
  class Handlers {
    @Subscribe(ticked, { group: 'clock', concurrency: 1 })
    async handle(): Promise<void> {
      await ended;
    }
  }
  const app = await bootMessaging({ controllers: [Handlers], options });
  const bus = app.get(EventBus);
  await bus.publishBatch([1, 2, 3, 4].map(at => ticked.of({ at })));
  await eventually(() => expect([...hubOf(bus).members][0]!.state.inFlight).toBeGreaterThan(0));
  return { app, end };
}

describe('health', () => {
  it('tells what each group has in hand, why it pauses, and what waits for it', async () => {
    const { app, end } = await booted({ consumers: { maxInFlight: 2 } });
    await using _ = app;
    expect(await check(app)).toEqual({
      waiting: 4,
      groups: { clock: { inFlight: 4, partitions: 1, pausedBy: ['in flight'], backlog: 4 } },
    });
    end();
    await eventually(async () =>
      expect(await check(app)).toEqual({ waiting: 0, groups: { clock: { inFlight: 0, partitions: 1, backlog: 0 } } }),
    );
  });

  it('is degraded while too much waits, and while a group receives nothing', async () => {
    const { app, end } = await booted({ consumers: { maxBacklog: 3 } });
    await using _ = app;
    expect(await check(app)).toMatchObject({ degraded: '4 messages wait for the group "clock"' });
    end();
    await eventually(async () => expect(await check(app)).not.toHaveProperty('degraded'));
    const [member] = hubOf(app.get(EventBus)).members;
    member!.troubled(new Error('no partitions'));
    expect(await check(app)).toMatchObject({ degraded: 'the group "clock" receives nothing: no partitions' });
    member!.troubled(undefined);
    expect(await check(app)).not.toHaveProperty('degraded');
  });

  it('tells the age of what waits where the broker does', async () => {
    const { app, end } = await booted({ consumers: { maxBacklogAgeMs: 5_000 } });
    await using _ = app;
    end();
    const [member] = hubOf(app.get(EventBus)).members;
    jest.spyOn(member!, 'backlog').mockResolvedValue([{ topic: 'ticked', messages: 1, oldestMs: 6_000 }]);
    expect(await check(app)).toMatchObject({
      degraded: 'a message waits for the group "clock" since 6 s',
      groups: { clock: { backlog: 1, oldestMs: 6_000 } },
    });
  });
});
