import { DatabaseModule } from '@core-infra/database';
import { eventually, type HttpApp, uniqueName, usePostgresServer, useTcpProxy } from '@core-infra/testing';
import { Controller, type Type } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { EventBus, MessagingHub, Subscribe } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';
import { Step, stepped } from './fixtures/steps.js';

const server = usePostgresServer();
const proxy = useTcpProxy(() => server.url);

function handlerOf(handled: Step[]): Type {
  @Controller()
  class Steps {
    @Subscribe(stepped)
    handle(@Payload() step: Step): void {
      handled.push(step);
    }
  }
  return Steps;
}

function boot(dsn: string, controllers: readonly Type[], group: string, leaseMs = 1_000): Promise<HttpApp> {
  return bootMessaging({
    controllers,
    imports: [DatabaseModule.forRoot({ dsn, startup: 'background', shutdownTimeoutMs: 500 })],
    options: { driver: 'postgres', group, shutdownTimeoutMs: 500, postgres: { leaseMs } },
  });
}

const partitionsOf = (app: HttpApp): number[] =>
  [...app.get<MessagingHub>(MessagingHub as never, { strict: false }).members].map(({ state }) => state.partitions);

describe('a member that no longer reaches the database', () => {
  it('gives up its partitions before another takes them, and gets its share back', async () => {
    const group = uniqueName('group');
    const [far, near]: [Step[], Step[]] = [[], []];
    await using one = await boot(proxy.url, [handlerOf(far)], group);
    await eventually(() => expect(partitionsOf(one)).toEqual([16]));
    await using other = await boot(server.url, [handlerOf(near)], group);
    await eventually(() => expect([partitionsOf(one), partitionsOf(other)]).toEqual([[8], [8]]));
    proxy.hang();
    await eventually(() => expect(partitionsOf(other)).toEqual([16]));
    expect(partitionsOf(one)).toEqual([0]);
    const keys = Array.from({ length: 50 }, (_, at) => `key-${at}`);
    await other.get(EventBus).publishBatch(keys.map(key => stepped.of({ key, at: 0 })));
    await eventually(() => expect(near.map(({ key }) => key).toSorted()).toEqual(keys.toSorted()));
    expect(far).toEqual([]);
    await proxy.resume();
    await eventually(() => expect([partitionsOf(one), partitionsOf(other)]).toEqual([[8], [8]]), { timeoutMs: 40_000 });
  });
});

describe('a database that is away at the boot', () => {
  it('does not keep the app from starting, which begins when it is there', async () => {
    const group = uniqueName('group');
    const handled: Step[] = [];
    await server.stop();
    await using app = await boot(server.url, [handlerOf(handled)], group);
    expect(partitionsOf(app)).toEqual([0]);
    await server.start();
    await eventually(() => expect(partitionsOf(app)).toEqual([16]), { timeoutMs: 30_000 });
    await app.get(EventBus).publish(stepped.of({ key: 'a', at: 0 }));
    await eventually(() => expect(handled).toEqual([{ key: 'a', at: 0 }]));
  });
});
