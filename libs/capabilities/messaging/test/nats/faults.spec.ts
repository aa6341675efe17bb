import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, uniqueName, useNatsServer, useToxiproxy } from '@core-infra/testing';
import { EventBus } from '../../src/index.js';
import { inversions, type Step, stepped } from '../postgres/fixtures/steps.js';
import { bootNats, stepsHandler } from './fixtures/boot-nats.js';

jest.setTimeout(120_000);

const server = useNatsServer();
const proxy = useToxiproxy(() => server.url);

describe('a server or a network that fails under load', () => {
  it.each([
    [
      'the server is killed and started again',
      () => server.kill('SIGKILL').then(() => server.start()),
      () => server.url,
    ],
    [
      'connections are reset',
      () =>
        proxy
          .resetPeer()
          .then(() => sleep(500))
          .then(() => proxy.heal()),
      () => proxy.url,
    ],
  ])('loses nothing that was accepted, and no order, when %s', async (_how, fault, url) => {
    const handled: Step[] = [];
    const steps = stepsHandler(async step => {
      handled.push(step);
      await sleep(1);
    });
    await using app = await bootNats({
      url: url(),
      prefix: uniqueName('events').toLowerCase(),
      controllers: [steps],
      options: { group: uniqueName('group'), publishTimeoutMs: 1_000 },
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
    await eventually(() => expect(handled.length).toBeGreaterThan(200), { timeoutMs: 20_000 });
    await fault();
    const sofar = handled.length;
    await eventually(() => expect(handled.length).toBeGreaterThan(sofar + 200), { timeoutMs: 30_000 });
    ending = true;
    const accepted = (await Promise.all(publishers)).reduce((sum, count) => sum + count);
    const distinct = (): number => new Set(handled.map(({ key, at }) => `${key} ${at}`)).size;
    await eventually(() => expect(distinct()).toBeGreaterThanOrEqual(accepted), { timeoutMs: 20_000 });
    expect(inversions(handled)).toEqual([]);
    process.stdout.write(`${accepted} accepted, ${refused} refused, ${handled.length - distinct()} came twice\n`);
  });
});
