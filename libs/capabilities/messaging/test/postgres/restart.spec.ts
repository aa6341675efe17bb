import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseModule, DataSource } from '@core-infra/database';
import { eventually, uniqueName, usePostgresServer } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { EventBus, Subscribe } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';
import { inversions, Step, stepped } from './fixtures/steps.js';

const server = usePostgresServer();

describe('a PostgreSQL that goes away under load', () => {
  it.each([
    ['restarted', () => server.restart()],
    ['killed', () => server.kill('SIGKILL').then(() => server.start())],
  ])('loses nothing that was accepted, and no order, when it is %s', async (_how, fault) => {
    const handled: Step[] = [];
    const dsn = await server.createDatabase();
    // What is promised holds for a database that keeps what it has committed; those of specs are in a hurry.
    await settings(dsn, 'synchronous_commit = on');
    @Controller()
    class Steps {
      @Subscribe(stepped)
      async handle(@Payload() step: Step): Promise<void> {
        handled.push(step);
        await sleep(1);
      }
    }
    await using app = await bootMessaging({
      controllers: [Steps],
      imports: [DatabaseModule.forRoot({ dsn })],
      options: { driver: 'postgres', startup: 'require', group: uniqueName('group'), publishTimeoutMs: 2_000 },
    });
    const bus = app.get(EventBus);
    let ending = false;
    let refused = 0;
    // Each publisher has a key of its own, and goes on only when the step before was accepted.
    const publish = async (key: string): Promise<number> => {
      let at = 0;
      while (!ending) {
        try {
          await bus.publish(stepped.of({ key, at }));
          at += 1;
        } catch {
          refused += 1;
          await sleep(50);
        }
      }
      return at;
    };
    const publishers = Array.from({ length: 8 }, (_, index) => publish(`key-${index}`));
    await eventually(() => expect(handled.length).toBeGreaterThan(200));
    await fault();
    const sofar = handled.length;
    await eventually(() => expect(handled.length).toBeGreaterThan(sofar + 200), { timeoutMs: 30_000 });
    ending = true;
    const accepted = (await Promise.all(publishers)).reduce((sum, count) => sum + count);
    const distinct = (): number => new Set(handled.map(({ key, at }) => `${key} ${at}`)).size;
    await eventually(() => expect(distinct()).toBe(accepted), { timeoutMs: 20_000 });
    expect(inversions(handled)).toEqual([]);
    expect(refused).toBeGreaterThan(0);
    process.stdout.write(
      `${accepted} accepted, ${refused} attempts refused, ${handled.length - accepted} came twice\n`,
    );
  });
});

async function settings(dsn: string, setting: string): Promise<void> {
  await using app = await bootMessaging({ imports: [DatabaseModule.forRoot({ dsn })] });
  await app.get(DataSource).query(`ALTER DATABASE "${new URL(dsn).pathname.slice(1)}" SET ${setting}`);
}
