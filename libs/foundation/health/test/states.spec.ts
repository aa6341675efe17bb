import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { type HealthChange, healthChanges } from '@core-infra/kernel';
import { HealthModule, HealthService } from '@core-infra/health';
import { bootHttp, bootInfra, eventually } from '@core-infra/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { clockModule, contributor, FakeClock } from './fixtures.js';

describe('states over time', () => {
  afterEach(() => jest.restoreAllMocks());

  async function scripted(options: Parameters<typeof HealthModule.forRoot>[0], critical = true) {
    const clock = new FakeClock();
    const server = { up: true };
    const check = () => {
      if (!server.up) throw new Error('refused');
    };
    const { module } = contributor('search', check, { critical });
    const app = await bootInfra(HealthModule.forRoot(options), clockModule(clock), module);
    const health = app.get(HealthService);
    const next = async (up: boolean) => {
      server.up = up;
      clock.advance(1_000);
      const { status, checks } = await health.check();
      return [status, checks['search']!.status];
    };
    return { app, health, clock, next };
  }

  it('goes down after so many failures in a row, is degraded before, and comes up after so many successes', async () => {
    const { app, next } = await scripted({ failureThreshold: 3, successThreshold: 2 });
    await using _app = app;
    expect(await next(true)).toEqual(['ok', 'up']);
    expect(await next(false)).toEqual(['degraded', 'degraded']);
    expect(await next(false)).toEqual(['degraded', 'degraded']);
    expect(await next(true)).toEqual(['ok', 'up']); // in a row means in a row
    expect(await next(false)).toEqual(['degraded', 'degraded']);
    expect(await next(false)).toEqual(['degraded', 'degraded']);
    expect(await next(false)).toEqual(['error', 'down']);
    expect(await next(true)).toEqual(['error', 'down']);
    expect(await next(false)).toEqual(['error', 'down']);
    expect(await next(true)).toEqual(['error', 'down']);
    expect(await next(true)).toEqual(['ok', 'up']);
  });

  it('takes the very first result at its word, and one lost answer later for a hiccup', async () => {
    const first = await scripted({});
    await using _first = first.app;
    expect(await first.next(false)).toEqual(['error', 'down']);
    expect(await first.next(true)).toEqual(['ok', 'up']);
    expect(await first.next(false)).toEqual(['degraded', 'degraded']);
    expect(await first.next(false)).toEqual(['error', 'down']);
  });

  it('remembers since when, the last error, the last success and the last changes', async () => {
    const { app, health, next } = await scripted({ failureThreshold: 1, historySize: 2 });
    await using _app = app;
    for (const up of [true, false, false, true]) await next(up);
    expect(await health.check('search')).toMatchObject({
      status: 'up',
      since: '2030-01-01T00:00:04.000Z',
      checkedAt: '2030-01-01T00:00:04.000Z',
      lastSuccessAt: '2030-01-01T00:00:04.000Z',
      lastError: { message: 'refused', at: '2030-01-01T00:00:03.000Z' },
      failuresInARow: 0,
      history: [
        { from: 'up', to: 'down', at: '2030-01-01T00:00:02.000Z', error: 'refused' },
        { from: 'down', to: 'up', at: '2030-01-01T00:00:04.000Z' },
      ],
    });
  });

  it('tells listeners, the channel and the log once of each change, and nothing of what stays', async () => {
    const logged: unknown[][] = [];
    for (const level of ['log', 'warn', 'error'] as const)
      jest.spyOn(Logger.prototype, level).mockImplementation((...args) => void logged.push([level, ...args]));
    const published: HealthChange[] = [];
    const subscriber = (change: unknown) => void published.push(change as HealthChange);
    healthChanges.subscribe(subscriber);
    try {
      const { app, health, next } = await scripted({ failureThreshold: 1 });
      await using _app = app;
      logged.length = 0;
      const heard: HealthChange[] = [];
      health.onChange(() => {
        throw new Error('a listener that fails');
      });
      const stop = health.onChange(change => void heard.push(change));
      for (const up of [true, true, false, false, true, true]) await next(up);
      const error = expect.objectContaining({ message: 'refused' });
      const changes = [
        { name: 'search', from: 'up', to: 'down', error },
        { name: 'search', from: 'down', to: 'up' },
      ];
      expect(heard).toEqual(changes);
      expect(published).toEqual(changes);
      const fields = { check: 'search', critical: true };
      expect(logged.filter(([, text]) => !/listener/.test(String(text)))).toEqual([
        ['error', 'search is down: refused', { ...fields, from: 'up', to: 'down', reason: 'refused' }],
        ['log', 'search is up again', { ...fields, from: 'down', to: 'up' }],
      ]);
      stop();
      await next(false);
      expect([heard.length, published.length]).toEqual([2, 3]);
    } finally {
      healthChanges.unsubscribe(subscriber);
    }
  });

  it('runs in the background once the app listens, notices a change that nobody asks for, and stops with the shutdown', async () => {
    let up = true;
    const { module, calls } = contributor('search', () => (up ? undefined : Promise.reject(new Error('refused'))));
    const options = { intervalMs: 20, cacheMs: 0 };
    const before = calls.length;
    const app = await bootHttp('fastify', [HealthModule.forRoot(options), module], {
      setUp: async app => {
        await app.init();
        expect(calls.length).toBe(before);
      },
    });
    try {
      await eventually(() => expect(calls.length).toBeGreaterThan(2));
      const changed = new Promise<HealthChange>(resolve =>
        app.get(HealthService).onChange(change => change.to === 'down' && resolve(change)),
      );
      up = false;
      expect(await changed).toMatchObject({ name: 'search', to: 'down' });
    } finally {
      await app.close();
    }
    const asked = calls.length;
    await sleep(100); // that nothing comes cannot be awaited
    expect(calls.length).toBe(asked);
  });

  it('runs in the background of a worker, too, and not at all with an interval of 0', async () => {
    const worker = contributor('search', () => undefined);
    await using _worker = await bootInfra(HealthModule.forRoot({ intervalMs: 10 }), worker.module);
    const silent = contributor('search', () => undefined);
    await using _silent = await bootHttp('express', [HealthModule.forRoot({ intervalMs: 0 }), silent.module]);
    await eventually(() => expect(worker.calls.length).toBeGreaterThan(0));
    expect(silent.calls).toHaveLength(0);
  });
});
