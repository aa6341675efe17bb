import { DatabaseModule } from '@core-infra/database';
import { eventually, type HttpApp, uniqueName, usePostgres } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { EventBus, MessagingHub, Subscribe } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';
import { Step, stepped } from './fixtures/steps.js';

const database = usePostgres();

function boot(group: string, handle: (step: Step) => void): Promise<HttpApp> {
  @Controller()
  class Steps {
    @Subscribe(stepped)
    handle(@Payload() step: Step): void {
      handle(step);
    }
  }
  return bootMessaging({
    controllers: [Steps],
    imports: [DatabaseModule.forRoot({ dsn: database.url })],
    options: {
      driver: 'postgres',
      startup: 'require',
      group,
      retry: { firstDelayMs: 4_000, maxDelayMs: 4_000 },
      consumers: { maxInFlight: 20 },
    },
  });
}

describe('a key that fails for long', () => {
  it('is parked in the schema of the driver with all that comes behind it, and goes on in another member in order', async () => {
    const group = uniqueName('group');
    const handled: string[] = [];
    const failing = await boot(group, ({ key, at }) => {
      if (key === 'bad') throw new Error('not yet');
      handled.push(`${key} ${at}`);
    });
    const bus = failing.get(EventBus);
    const { driver } = failing.get<MessagingHub>(MessagingHub as never, { strict: false });
    const parked = () => driver.parking!.size(group, AbortSignal.timeout(5_000));
    // More of the bad key than may be in hand: it must not keep the other one waiting.
    await bus.publish(stepped.of({ key: 'bad', at: 0 }));
    await eventually(async () => expect(await parked()).toEqual({ keys: 1, messages: 1 }), { timeoutMs: 20_000 });
    await bus.publishBatch(Array.from({ length: 60 }, (_, at) => stepped.of({ key: 'bad', at: at + 1 })));
    await bus.publish(stepped.of({ key: 'good', at: 0 }));
    await eventually(() => expect(handled).toEqual(['good 0']));
    await eventually(async () => expect(await parked()).toEqual({ keys: 1, messages: 61 }));
    await failing.close();
    const later: number[] = [];
    await using _ = await boot(group, ({ at }) => void later.push(at));
    await eventually(() => expect(later).toEqual(Array.from({ length: 61 }, (_each, at) => at)), { timeoutMs: 20_000 });
  });
});
