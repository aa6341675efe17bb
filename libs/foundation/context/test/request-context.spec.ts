import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ContextModule, UuidV7 } from '@core-infra/context';
import { RequestContext } from '@core-infra/kernel';
import { eventually } from '@core-infra/testing';
import { ClsModule, ClsService } from 'nestjs-cls';

async function boot(...imports: any[]) {
  @Module({ imports })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  return Object.assign(app, { [Symbol.asyncDispose]: () => app.close() });
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('RequestContext', () => {
  it('knows nothing outside, and is ignored there', async () => {
    await using app = await boot(ContextModule.forRoot());
    const context = app.get(RequestContext);
    context.set({ userId: 'nobody' });
    expect(context.current).toBeUndefined();
  });

  it('runs work in a context of its own, outside of HTTP', async () => {
    await using app = await boot(ContextModule.forRootAsync());
    const context = app.get(RequestContext);
    const seen = await context.run({ userId: 'u' }, async () => {
      await sleep(1);
      return { ...context.current };
    });
    expect(seen).toMatchObject({ userId: 'u', requestId: expect.stringMatching(/-7/) });
    expect(seen.correlationId).toBe(seen.requestId);
    expect(context.run({}, () => context.current!.signal)).toBeUndefined();
    expect(context.current).toBeUndefined();
  });

  it('inherits what is left out, and what the inner one sets stays there', async () => {
    await using app = await boot(ContextModule.forRoot());
    const context = app.get(RequestContext);
    context.run({ requestId: 'outer', correlationId: 'c', userId: 'u', traceparent: 't' }, () => {
      context.run({ requestId: 'inner', userId: undefined }, () => {
        expect(context.current).toMatchObject({ requestId: 'inner', correlationId: 'c', traceparent: 't' });
        expect(context.current!.userId).toBeUndefined();
        context.set({ tenantId: 'x', requestId: undefined });
        expect(context.current).toMatchObject({ tenantId: 'x', requestId: 'inner' });
      });
      expect(context.current).toMatchObject({ requestId: 'outer', userId: 'u' });
      expect(context.current!.tenantId).toBeUndefined();
    });
  });

  it('never outlives the deadline and the signal of the context around it', async () => {
    await using app = await boot(ContextModule.forRoot());
    const context = app.get(RequestContext);
    const controller = new AbortController();
    const soon = Date.now() + 20;
    await context.run({ deadline: soon, signal: controller.signal }, async () => {
      const inner = context.run({ deadline: soon + 60_000 }, () => ({
        ...context.current,
        signal: context.current!.signal!,
      }));
      expect(inner.deadline).toBe(soon);
      await eventually(() => expect(inner.signal.reason).toMatchObject({ code: 'INFRA_DEADLINE_EXCEEDED' }));
    });
    context.run({ signal: controller.signal }, () => {
      const signal = context.run({ deadline: Date.now() + 60_000 }, () => context.current!.signal!);
      controller.abort('over');
      expect(signal.reason).toBe('over');
    });
  });

  it('has a signal made when it is first read, once', async () => {
    await using app = await boot(ContextModule.forRoot());
    const context = app.get(RequestContext);
    const controller = new AbortController();
    let made = 0;
    const signal = () => ((made += 1), controller.signal);
    context.run({ signal }, () => {
      expect(made).toBe(0);
      context.run({ userId: 'u' }, () => expect(context.current!.signal).toBe(controller.signal));
      expect(context.current!.signal).toBe(controller.signal);
      expect(made).toBe(1);
    });
  });

  it('lets work outlive it which unsets both deadline and signal', async () => {
    await using app = await boot(ContextModule.forRoot());
    const context = app.get(RequestContext);
    const caller = new AbortController();
    context.run({ requestId: 'outer', deadline: Date.now() + 60_000, signal: caller.signal }, () => {
      const inner = context.run({ deadline: undefined, signal: undefined }, () => context.current!);
      expect(inner).toMatchObject({ requestId: 'outer', deadline: undefined });
      expect(inner.signal).toBeUndefined();
      // One alone says nothing of the other.
      const bound = context.run({ deadline: undefined }, () => context.current!.signal!);
      caller.abort('hung up');
      expect(bound).toMatchObject({ aborted: true, reason: 'hung up' });
    });
  });

  it('a deadline that is set later counts for signals that are read later', async () => {
    await using app = await boot(ContextModule.forRoot());
    const context = app.get(RequestContext);
    await context.run({}, async () => {
      expect(context.current!.signal).toBeUndefined();
      context.set({ deadline: Date.now() - 1 });
      expect(context.current!.signal!.aborted).toBe(true);
    });
  });

  it('keeps nothing of work that has ended, though its deadline is still to come', async () => {
    await using app = await boot(ContextModule.forRoot());
    const context = app.get(RequestContext);
    const work = (): WeakRef<object> => {
      const payload = { large: new Uint8Array(1_000_000), signal: new AbortController().signal };
      const fields = { deadline: Date.now() + 60_000, signal: () => payload.signal };
      context.run(fields, () => expect(context.current!.signal!.aborted).toBe(false));
      return new WeakRef(payload);
    };
    const left = work();
    await eventually(() => {
      collectGarbage();
      // Not the object itself: what a matcher has seen is kept.
      expect(left.deref() === undefined).toBe(true);
    });
  });

  it('shares one store with every ClsService of the app, and survives a nested one', async () => {
    await using app = await boot(ClsModule.forRoot({ global: true }), ContextModule.forRoot());
    const context = app.get(RequestContext);
    const cls = app.get(ClsService, { strict: false });
    context.run({ requestId: 'r' }, () => {
      expect(cls.getId()).toBe('r');
      cls.set('transaction', 'tx');
      cls.run({ ifNested: 'inherit' }, () => {
        context.set({ userId: 'set in the transaction' });
        expect(context.current!.requestId).toBe('r');
        context.run({}, () => expect(cls.get('transaction')).toBe('tx'));
      });
      expect(context.current!.userId).toBe('set in the transaction');
    });
  });

  it('keeps two apps of one process apart', async () => {
    await using one = await boot(ContextModule.forRoot());
    await using two = await boot(ContextModule.forRoot());
    await Promise.all(
      [one, two].map((app, index) =>
        app.get(RequestContext).run({ requestId: `app-${index}` }, async () => {
          await sleep(5);
          expect(app.get(RequestContext).current!.requestId).toBe(`app-${index}`);
        }),
      ),
    );
  });

  it('refuses a configuration that cannot work', async () => {
    await expect(boot(ContextModule.forRoot({ requestIdHeader: 'X Y', maxIdLength: 2 }))).rejects.toMatchObject({
      code: 'INFRA_CONFIG',
      problems: [
        expect.objectContaining({ key: 'context.requestIdHeader' }),
        expect.objectContaining({ key: 'context.maxIdLength' }),
      ],
    });
  });
});

describe('UuidV7', () => {
  it('is valid, ordered by time, and unique', () => {
    let now = Date.UTC(2026, 10, 21);
    const ids = new UuidV7(() => now);
    const first = ids.next();
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(first.replace('-', '').slice(0, 12), 16)).toBe(now);
    now += 1;
    expect(ids.next() > first).toBe(true);
    expect(new Set(Array.from({ length: 20_000 }, () => ids.next())).size).toBe(20_000);
  });
});
