import { Injectable, Module } from '@nestjs/common';
import { boot, CachePort, closeApps, makeConcerns, refusal, StoreClient } from './fixtures/concerns.js';

afterEach(closeApps);

describe('registration', () => {
  class Options {
    create() {
      return { url: 'net://given' };
    }
  }
  @Module({ providers: [Options], exports: [Options] })
  class OptionsModule {}

  it.each([
    ['forRoot', (m: ReturnType<typeof makeConcerns>['StoreModule']) => m.forRoot({ url: 'net://given' })],
    [
      'useFactory',
      (m: ReturnType<typeof makeConcerns>['StoreModule']) =>
        m.forRootAsync({ useFactory: async () => ({ url: 'net://given' }) }),
    ],
    [
      'useFactory with inject',
      (m: ReturnType<typeof makeConcerns>['StoreModule']) =>
        m.forRootAsync({
          imports: [OptionsModule],
          inject: [Options],
          useFactory: (options: Options) => options.create(),
        }),
    ],
    ['useClass', (m: ReturnType<typeof makeConcerns>['StoreModule']) => m.forRootAsync({ useClass: Options })],
    [
      'useExisting',
      (m: ReturnType<typeof makeConcerns>['StoreModule']) =>
        m.forRootAsync({ imports: [OptionsModule], useExisting: Options }),
    ],
  ])('gives the same connection by %s', async (_name, register) => {
    const { StoreModule, storeToken } = makeConcerns();
    const app = await boot([register(StoreModule)]);
    expect(app.get(storeToken())).toEqual(new StoreClient('net://given'));
  });

  it('takes the defaults when nothing is given, and says what has none', async () => {
    const { CacheModule, StoreModule } = makeConcerns();
    const app = await boot([CacheModule.forRootAsync()]);
    expect(app.get(CachePort).kind).toBe('memory');
    const error = await refusal([StoreModule.forRootAsync()]);
    expect(error).toMatchObject({
      code: 'INFRA_CONFIG',
      problems: [{ key: 'store.url', env: 'STORE_URL', got: 'nothing' }],
    });
  });

  it('refuses a value of the wrong kind and an unknown key, both at once, with the nearest name', async () => {
    const { CacheModule } = makeConcerns();
    const error = await refusal([CacheModule.forRoot({ ttlMs: -1, ttlsMs: 4 } as never)]);
    expect(error.message).toContain('cache.ttlMs (env CACHE_TTL_MS, set by code): expected not less than 1, got -1');
    expect(error.message).toContain('cache.ttlsMs (set by code): expected a known key (did you mean cache.ttlMs?)');
  });

  it('refuses a driver that does not exist', async () => {
    const { CacheModule } = makeConcerns();
    expect((await refusal([CacheModule.forRoot({ driver: 'memcached' as never })])).message).toContain(
      'one of the following values: memory, store',
    );
  });
});

describe('named connections', () => {
  it('are injected by name, and as the plain type where a module asks for that', async () => {
    const { StoreModule, InjectStore } = makeConcerns();
    @Injectable()
    class Plain {
      constructor(
        readonly store: StoreClient,
        @InjectStore('audit') readonly audit: StoreClient,
      ) {}
    }
    @Injectable()
    class Rebound {
      constructor(readonly store: StoreClient) {}
    }
    @Module({ imports: [StoreModule.forFeature('audit')], providers: [Rebound] })
    class AuditModule {}
    const app = await boot(
      [
        StoreModule.forRoot({ url: 'net://main' }),
        StoreModule.forRoot({ name: 'audit', url: 'net://audit' }),
        AuditModule,
      ],
      [Plain],
    );
    expect(app.get(Plain).store.url).toBe('net://main');
    expect(app.get(Plain).audit.url).toBe('net://audit');
    expect(app.get(Rebound).store).toBe(app.get(Plain).audit);
  });

  it('say which exist when one is missing', async () => {
    const { StoreModule } = makeConcerns();
    const error = await refusal([StoreModule.forRoot({ url: 'net://main' }), StoreModule.forFeature('audti')]);
    expect(error).toMatchObject({ code: 'INFRA_MISSING_CONNECTION', connection: 'store:audti', registered: ['store'] });
  });

  it('are shared when registered twice with equal configuration', async () => {
    const { StoreModule, storeToken, log } = makeConcerns();
    @Module({ imports: [StoreModule.forRoot({ url: 'net://same' })] })
    class Orders {}
    @Module({ imports: [StoreModule.forRootAsync({ useFactory: () => ({ url: 'net://same' }) })] })
    class Billing {}
    const app = await boot([Orders, Billing]);
    expect(app.get(storeToken())).toEqual(new StoreClient('net://same'));
    expect(log).toEqual(['connect store']);
  });

  it('are refused when registered twice with different configuration, naming both modules', async () => {
    const { StoreModule, log } = makeConcerns();
    @Module({ imports: [StoreModule.forRoot({ url: 'net://one' })] })
    class Orders {}
    @Module({ imports: [StoreModule.forRoot({ url: 'net://two' })] })
    class Billing {}
    const error = await refusal([Orders, Billing]);
    expect(error.code).toBe('INFRA_DUPLICATE_CONNECTION');
    expect([...(error.importers as string[])].sort()).toEqual(['Billing', 'Orders']);
    expect(log.filter(line => line.startsWith('close'))).toEqual(['close store']);
  });
});

describe('wiring that Nest would accept in silence', () => {
  it('refuses a bare import, alone and beside a registration', async () => {
    const { StoreModule } = makeConcerns();
    expect(await refusal([StoreModule])).toMatchObject({ code: 'INFRA_BARE_IMPORT', module: 'StoreModule' });
    expect(await refusal([StoreModule, StoreModule.forRoot({ url: 'net://a' })])).toMatchObject({
      code: 'INFRA_BARE_IMPORT',
    });
  });

  it('refuses two forFeature of one port in one module, and accepts them in two', async () => {
    const { StoreModule } = makeConcerns();
    const roots = [
      StoreModule.forRoot({ name: 'a', url: 'net://a' }),
      StoreModule.forRoot({ name: 'b', url: 'net://b' }),
    ];
    @Module({ imports: [StoreModule.forFeature('a'), StoreModule.forFeature('b')] })
    class Both {}
    expect(await refusal([...roots, Both])).toMatchObject({
      code: 'INFRA_DUPLICATE_FEATURE',
      module: 'Both',
      names: ['a', 'b'],
    });
    @Module({ imports: [StoreModule.forFeature('a')] })
    class OnlyA {}
    @Module({ imports: [StoreModule.forFeature('b')] })
    class OnlyB {}
    await expect(boot([...roots, OnlyA, OnlyB])).resolves.toBeTruthy();
  });
});

describe('what a concern stands on', () => {
  it('is opened before it, by name, and closed after it', async () => {
    const { CacheModule, StoreModule, log } = makeConcerns();
    const app = await boot([
      CacheModule.forRootAsync({ on: 'audit', useFactory: () => ({ driver: 'store' as const, ttlMs: 5 }) }),
      StoreModule.forRoot({ name: 'audit', url: 'net://audit' }),
    ]);
    expect(app.get(CachePort).kind).toBe('net://audit/5');
    await app.close();
    expect(log).toEqual([
      'connect store:audit',
      expect.stringContaining('drain'),
      expect.stringContaining('drain'),
      'close cache',
      'close store:audit',
    ]);
  });

  it('is named when it is missing', async () => {
    const { CacheModule } = makeConcerns();
    const error = await refusal([CacheModule.forRoot({ driver: 'store', on: 'audit' })]);
    expect(error).toMatchObject({
      code: 'INFRA_MISSING_UPSTREAM',
      connection: 'cache',
      driver: 'store',
      upstream: 'store:audit',
    });
  });

  it('is not asked for by a driver that stands on nothing', async () => {
    const { CacheModule } = makeConcerns();
    expect((await boot([CacheModule.forRoot({})])).get(CachePort).kind).toBe('memory');
  });
});

describe('two apps in one process', () => {
  it('have connections of their own', async () => {
    const { StoreModule, storeToken, log } = makeConcerns();
    const [one, two] = await Promise.all([1, 2].map(() => boot([StoreModule.forRoot({ url: 'net://a' })])));
    expect(one!.get(storeToken())).not.toBe(two!.get(storeToken()));
    await one!.close();
    expect(log.filter(line => line === 'close store')).toHaveLength(1);
  });
});
