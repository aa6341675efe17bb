import 'reflect-metadata';
import { Injectable, Module, Scope } from '@nestjs/common';
import { HealthIndicatorService, MemoryHealthIndicator } from '@nestjs/terminus';
import { BareImportError } from '@core-infra/kernel';
import {
  DuplicateCheckError,
  HealthContributor,
  HealthModule,
  HealthRegisteredTwiceError,
  HealthService,
  InvalidCheckError,
  UnknownCheckError,
} from '@core-infra/health';
import { bootInfra, eventually } from '@core-infra/testing';
import { clockModule, concern, contributor, FakeClock, hang, moduleOf } from './fixtures.js';

describe('checks', () => {
  const short = HealthModule.forRoot({ deadlineMs: 50, cacheMs: 0 });

  it('keeps the rest when one throws, hangs, rejects with anything, or tells what JSON cannot carry', async () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const evil = {
      toString() {
        throw new Error('no words');
      },
    };
    const bad = {
      throws: () => {
        throw new TypeError('x is undefined');
      },
      hangs: hang,
      'rejects-text': () => Promise.reject('just text'),
      'rejects-nothing': () => Promise.reject(undefined),
      'rejects-evil': () => Promise.reject(evil),
      'rejects-bare': () => Promise.reject(Object.create(null)),
      aggregate: () => Promise.reject(new AggregateError([new Error('v4 refused'), new Error('v6 refused')])),
      reserved: () => ({ status: 'down', responseTime: 7, name: 'other' }),
      cyclic: () => cyclic,
    };
    const modules = Object.entries(bad).map(([name, check]) => contributor(name, check).module);
    await using app = await bootInfra(short, ...modules, contributor('good', () => ({ version: '17' })).module);
    const { status, checks } = await app.get(HealthService).check();
    expect(status).toBe('error');
    expect(
      Object.fromEntries(Object.entries(checks).map(([name, check]) => [name, [check.status, check.reason]])),
    ).toEqual({
      throws: ['down', 'x is undefined'],
      hangs: ['down', expect.stringContaining('did not answer within 50 ms')],
      'rejects-text': ['down', 'just text'],
      'rejects-nothing': ['down', 'undefined'],
      'rejects-evil': ['down', 'failed with a value that has no text'],
      'rejects-bare': ['down', 'failed with a value that has no text'],
      aggregate: ['down', 'v4 refused; v6 refused'],
      reserved: ['up', undefined],
      cyclic: ['up', undefined],
      good: ['up', undefined],
    });
    expect(checks['good']?.details).toEqual({ version: '17' });
    expect(checks['reserved']).toMatchObject({ name: 'reserved', details: { status: 'down' } });
  });

  it('aborts a check at the end of its budget, names the budget, and never runs it twice at once', async () => {
    const { module, calls } = contributor('hangs', hang, { timeoutMs: 120 });
    await using app = await bootInfra(short, module);
    const health = app.get(HealthService);
    expect((await health.check('hangs')).status).toBe('down');
    await Promise.all([health.check(), health.check('hangs'), health.check()]);
    expect(calls).toHaveLength(1);
    await eventually(() => expect(calls[0]?.aborted).toBe(true));
    await eventually(async () =>
      expect(await health.check('hangs')).toMatchObject({
        lastError: { code: 'INFRA_CHECK_TIMEOUT', message: expect.stringContaining('within 120 ms') },
      }),
    );
  });

  it('does not pile up runs of a check that never settles, and asks again later', async () => {
    const clock = new FakeClock();
    const { module, calls } = contributor('stuck', () => new Promise<never>(() => undefined), { timeoutMs: 5 });
    await using app = await bootInfra(clockModule(clock), short, module);
    const health = app.get(HealthService);
    for (let probe = 0; probe < 10; probe += 1) {
      clock.advance(1_000);
      expect(await health.check('stuck')).toMatchObject({ status: 'down', lastError: { code: 'INFRA_CHECK_TIMEOUT' } });
    }
    expect(calls).toHaveLength(3);
    clock.advance(30_000);
    await health.check('stuck');
    expect(calls).toHaveLength(4);
  });

  it('keeps reasons and details within bounds, as they are remembered', async () => {
    const { module } = contributor('talks', () => {
      throw new Error('x'.repeat(1_000_000));
    });
    const { module: other } = contributor('tells', () => ({ all: 'y'.repeat(1_000_000) }));
    await using app = await bootInfra(short, module, other);
    const { checks } = await app.get(HealthService).check();
    expect(JSON.stringify(checks['talks']).length).toBeLessThan(5_000);
    expect(JSON.stringify(checks['tells']).length).toBeLessThan(1_000);
  });

  it('tells nobody of a check that rejects after its budget', async () => {
    let reject = (_error: Error) => {};
    const late = new Promise<never>((_resolve, fail) => (reject = fail));
    const { module } = contributor('late', () => late, { timeoutMs: 5 });
    await using app = await bootInfra(short, module);
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    expect((await app.get(HealthService).check('late')).lastError?.code).toBe('INFRA_CHECK_TIMEOUT');
    reject(new Error('too late'));
    await new Promise(resolve => setImmediate(() => setImmediate(resolve)));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    expect((await app.get(HealthService).check('late')).reason).toContain('too late');
  });

  it('answers with the last state when a check that was up is slower than the deadline but within its budget', async () => {
    let open = () => {};
    let slow = false;
    const check = () => (slow ? new Promise<void>(resolve => (open = resolve)) : undefined);
    const { module, calls } = contributor('slow', check, { timeoutMs: 60_000 });
    await using app = await bootInfra(short, module);
    const health = app.get(HealthService);
    await health.check();
    slow = true;
    expect((await health.check()).status).toBe('ok');
    open();
    await eventually(() => expect(calls.length).toBe(2));
  });

  it('tells that a connection in the background is not there yet, and when it has come', async () => {
    let reachable = false;
    const connect = () => {
      if (!reachable) throw new Error('nobody listens');
    };
    const store = concern('store', { connect, check: () => ({ answers: true }) });
    await using app = await bootInfra(short, store.forRoot({ startup: 'background', critical: false }));
    const health = app.get(HealthService);
    expect(await health.check()).toMatchObject({
      status: 'degraded',
      checks: { store: { status: 'down', critical: false, lastError: { code: 'INFRA_NOT_CONNECTED' } } },
    });
    expect(await health.isHealthy()).toBe(true);
    expect(await health.isHealthy('store')).toBe(false);
    reachable = true;
    await eventually(async () =>
      expect(await health.check('store')).toMatchObject({ status: 'up', details: { answers: true } }),
    );
  });

  it('gives a connection with several parts a check for each', async () => {
    const fail = () => Promise.reject(new Error('lag'));
    const broker = concern('broker', { check: { producer: () => undefined, consumer: fail } });
    await using app = await bootInfra(short, broker.forRoot());
    expect((await app.get(HealthService).check()).checks).toMatchObject({
      'broker-producer': { status: 'up' },
      'broker-consumer': { status: 'down' },
    });
  });

  it("takes Terminus' indicators as they are, and lets go of them again", async () => {
    @Injectable()
    class Indicators {
      constructor(
        readonly memory: MemoryHealthIndicator,
        readonly own: HealthIndicatorService,
      ) {}
    }
    await using app = await bootInfra(short, moduleOf(Indicators));
    const health = app.get(HealthService);
    const { memory, own } = app.get(Indicators, { strict: false });
    const remove = health.add('heap-small', () => memory.checkHeap('any_key', 1), { critical: false });
    health.add('heap-large', () => memory.checkHeap('heap-large', Number.MAX_SAFE_INTEGER));
    health.add('session', () => own.check('session').degraded('slow'));
    health.add(
      'attempt',
      own.check('attempt').attempt(() => Promise.reject(new Error('no route'))),
    );
    health.add('several', () => ({ ...own.check('a').up(), ...own.check('b').down('b is gone') }));
    expect((await health.check()).checks).toMatchObject({
      'heap-small': { status: 'down', reason: expect.stringMatching(/heap/) },
      'heap-large': { status: 'up' },
      session: { status: 'degraded', reason: 'slow' },
      attempt: { status: 'down', reason: 'no route' },
      several: { status: 'down', reason: 'b is gone', details: { a: { status: 'up' } } },
    });
    remove();
    expect(health.names()).not.toContain('heap-small');
    expect(() => health.add('session', () => undefined)).toThrow(DuplicateCheckError);
    await expect(health.check('heap-small')).rejects.toThrow(UnknownCheckError);
  });

  it('refuses at boot what could not be told apart or served', async () => {
    const boot = (...modules: Parameters<typeof bootInfra>) => bootInfra(HealthModule.forRoot(), ...modules);
    const good = () => undefined;
    const store = concern('store', {});
    const duplicate = boot(store.forRoot(), contributor('store', good).module);
    await expect(duplicate).rejects.toThrow(DuplicateCheckError);
    await expect(duplicate).rejects.toThrow(/the connection "store" and that of Contributor_store in SpecModule/);
    for (const name of ['live', 'ready', 'startup', 'a b', 'a/b', '', 'x'.repeat(65)])
      await expect(boot(contributor(name, good).module)).rejects.toThrow(InvalidCheckError);

    @HealthContributor('per-request')
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      check() {}
    }
    await expect(boot(moduleOf(PerRequest))).rejects.toThrow(/exists once per request/);
    @HealthContributor('mute')
    @Injectable()
    class Mute {}
    await expect(boot(moduleOf(Mute))).rejects.toThrow(/no method check/);
    await expect(boot(HealthModule.forRoot({ intervalMs: 0 }))).rejects.toThrow(HealthRegisteredTwiceError);
    await expect(bootInfra(HealthModule)).rejects.toThrow(BareImportError);
  });

  it('finds what a factory makes, once however often it is handed on', async () => {
    @HealthContributor('made')
    class Made {
      check() {}
    }
    @Module({
      providers: [
        { provide: 'made', useFactory: () => new Made() },
        { provide: 'again', inject: ['made'], useFactory: (made: Made) => made },
        { provide: 'alias', useExisting: 'made' },
      ],
    })
    class FactoryModule {}
    await using app = await bootInfra(short, FactoryModule);
    expect(app.get(HealthService).names()).toEqual(['made']);
  });

  it('registers in the same way from a factory, from nothing and for a reused module', async () => {
    const { module } = contributor('search', () => undefined);
    await using async1 = await bootInfra(HealthModule.forRootAsync({ useFactory: () => ({ historySize: 3 }) }), module);
    await using async2 = await bootInfra(HealthModule.forRootAsync(), module);
    for (const app of [async1, async2]) expect(await app.get(HealthService).isHealthy()).toBe(true);
  });
});
