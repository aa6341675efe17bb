import { DatabaseModule } from '@core-infra/database';
import { eventually, type HttpApp, uniqueName, usePostgres } from '@core-infra/testing';
import { Controller, type Type } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { EventBus, MessagingHub, type MessagingOptions, type OutgoingMessage, Subscribe } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';
import { Step, stepped } from './fixtures/steps.js';

const database = usePostgres();

function boot(group: string, options: MessagingOptions = {}, controllers: readonly Type[] = []): Promise<HttpApp> {
  return bootMessaging({
    controllers,
    imports: [DatabaseModule.forRoot({ dsn: database.url })],
    options: { driver: 'postgres', startup: 'require', group, ...options },
  });
}

function handlerOf(handled: string[]): Type {
  @Controller()
  class Steps {
    @Subscribe(stepped)
    handle(@Payload() { key, at }: Step): void {
      handled.push(`${key}${at}`);
    }
  }
  return Steps;
}

const topicsOf = (group: string): MessagingOptions['topics'] => ({ [stepped.type]: { groups: [group] } as never });

describe('what is published to the driver postgres', () => {
  it('is accepted event by event: one that the database refuses fails itself, and what is behind it of its key', async () => {
    const handled: string[] = [];
    const group = uniqueName('group');
    await using app = await boot(group, {}, [handlerOf(handled)]);
    const { driver, routes } = app.get<MessagingHub>(MessagingHub as never);
    const codec = routes.codecOf(stepped.type);
    const steps = ['a', 'b', 'a', 'c', 'b', 'c', 'd'].map((key, at): OutgoingMessage => {
      const { headers, body } = codec.encode({
        id: `${at}`,
        source: '/spec',
        type: stepped.type,
        version: 1,
        time: '',
        headers: {},
        data: { key, at },
      });
      return { id: `${at}`, topic: stepped.type, key, headers, body, kind: 'event' };
    });
    // No timestamp of PostgreSQL's is so late.
    const messages = steps.map((step, at) => (at === 1 ? { ...step, notBefore: 8.64e15 } : step));
    const [refused, other] = await Promise.all([
      driver.publish(messages, AbortSignal.timeout(10_000)),
      app.get(EventBus).publish(stepped.of({ key: 'b', at: 9 })),
    ]);
    expect(other).toBeUndefined();
    expect(refused.map(error => (error as { code?: string } | undefined)?.code)).toEqual([
      undefined,
      '22009',
      undefined,
      undefined,
      '22009',
      undefined,
      undefined,
    ]);
    await eventually(() => expect(handled.toSorted()).toEqual(['a0', 'a2', 'b9', 'c3', 'c5', 'd6']));
    expect(handled.indexOf('a0')).toBeLessThan(handled.indexOf('a2'));
  });

  it('is kept for a group that is declared, from before its first member', async () => {
    const group = uniqueName('worker');
    const late = uniqueName('late');
    await using app = await boot(uniqueName('group'), { topics: topicsOf(group) });
    await app.get(EventBus).publish(stepped.of({ key: 'a', at: 0 }));
    const handled: string[] = [];
    const missed: string[] = [];
    await using worker = await boot(group, {}, [handlerOf(handled)]);
    await using other = await boot(late, {}, [handlerOf(missed)]);
    await worker.get(EventBus).publish(stepped.of({ key: 'a', at: 1 }));
    await eventually(() => expect([handled, missed]).toEqual([['a0', 'a1'], ['a1']]));
    expect(other.get(EventBus)).toBeInstanceOf(EventBus);
  });

  it('names no group that could not be one', async () => {
    await expect(boot('g', { topics: topicsOf('no/group') })).rejects.toThrow(
      'must consist of letters, digits, dots, dashes and underscores',
    );
  });
});
