import { Clock, Connections } from '@core-infra/kernel';
import { eventually } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { IsString } from 'class-validator';
import { MemoryBroker } from '../src/drivers/memory/memory.broker.js';
import { defineEvent, EventBus, InjectEventBus, MessagingModule, Subscribe } from '../src/index.js';
import { messagingContract } from '../src/testing/index.js';
import { bootMessaging } from './support/boot-messaging.js';

class Note {
  @IsString() text!: string;
}
const noted = defineEvent('notes.noted', { schema: Note });

const closed: string[] = [];
const Pigeons = MessagingModule.over({
  name: 'pigeons',
  open: (_config, at) => {
    const driver = Object.assign(new MemoryBroker(Clock.system), { name: 'pigeons' });
    return {
      driver,
      address: 'the loft',
      check: () => ({ pigeons: 2 }),
      close: () => {
        closed.push(at.id);
        driver.close();
      },
    };
  },
});

describe('a driver that is no part of the package', () => {
  messagingContract({
    features: { ordered: true, schedule: true, reach: 'process', durable: false, retention: 'subscribers' },
    boot: (options, controllers) => bootMessaging({ options, controllers, module: Pigeons }),
  });

  it('is what the configuration says, is checked and closed, and feeds the handlers of a named bus', async () => {
    const seen: string[] = [];
    @Controller()
    class Handlers {
      constructor(@InjectEventBus('loft') readonly bus: EventBus) {}
      @Subscribe(noted, { bus: 'loft' })
      handle(@Payload() { text }: Note): void {
        seen.push(text);
      }
    }
    await using app = await bootMessaging({
      controllers: [Handlers],
      module: { forRoot: () => Pigeons.forRoot({ name: 'loft', group: 'readers' }) },
    });
    await app.get(Handlers, { strict: false }).bus.publish(noted.of({ text: 'hello' }));
    await eventually(() => expect(seen).toEqual(['hello']));
    const connections = app.get(Connections);
    expect(connections.list()).toMatchObject([{ id: 'messaging:loft', driver: 'pigeons', address: 'the loft' }]);
    expect(await connections.checks()[0]!.run()).toMatchObject({ pigeons: 2, groups: { readers: { inFlight: 0 } } });
    closed.length = 0;
    await app.close();
    expect(closed).toEqual(['messaging:loft']);
  });

  it('refuses the name of another', async () => {
    const boot = bootMessaging({ module: Pigeons, options: { driver: 'memory' } });
    await expect(boot).rejects.toThrow(/driver.*pigeons/s);
  });
});
