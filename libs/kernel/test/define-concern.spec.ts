import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IsIn, IsInt, IsString, Min } from 'class-validator';
import { connectionStages, ConnectionConfig, Connections, defineConcern } from '@core-infra/kernel';

function makeConcerns() {
  const log: string[] = [];
  class StoreClient {
    constructor(readonly url: string) {}
  }
  class StoreConfig extends ConnectionConfig {
    @IsIn(['net']) driver: 'net' = 'net';
    @IsString() url!: string;
  }
  const store = defineConcern({
    name: 'store',
    port: StoreClient,
    config: StoreConfig,
    drivers: {
      net: ({ url }, { id }) => ({
        client: new StoreClient(url),
        connect: async () => void log.push(`connect ${id}`),
        check: () => ({ pong: true }),
        close: () => log.push(`close ${id}`),
      }),
    },
  });
  @Module({})
  class StoreModule extends store.ConcernModule {}

  abstract class CachePort {
    abstract readonly kind: string;
  }
  class CacheConfig extends ConnectionConfig {
    @IsIn(['memory', 'store']) driver: 'memory' | 'store' = 'memory';
    @IsInt() @Min(1) ttlMs: number = 60_000;
  }
  const cache = defineConcern({
    name: 'cache',
    port: CachePort,
    config: CacheConfig,
    upstreams: { store: 'store' },
    drivers: {
      memory: () => ({ client: { kind: 'memory' } }),
      store: (config, { upstream }) => ({
        client: { kind: `store@${upstream<StoreClient>().url}/${config.ttlMs}` },
        drain: () => log.push('drain cache'),
        close: () => log.push('close cache'),
      }),
    },
  });
  @Module({})
  class CacheModule extends cache.ConcernModule {}
  return { log, StoreClient, StoreModule, store, CachePort, CacheModule };
}

const boot = (imports: any[], providers: any[] = []) => {
  @Module({ imports, providers })
  class AppModule {}
  return NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
};

describe('defineConcern', () => {
  it('opens named connections, rebinds in a feature module and closes what stands on another first', async () => {
    const { log, StoreClient, StoreModule, CachePort, CacheModule } = makeConcerns();
    @Injectable()
    class Featured {
      constructor(@Inject(StoreClient) readonly store: InstanceType<typeof StoreClient>) {}
    }
    @Injectable()
    class Plain {
      constructor(@Inject(StoreClient) readonly store: InstanceType<typeof StoreClient>) {}
    }
    @Module({ imports: [StoreModule.forFeature('audit')], providers: [Featured], exports: [Featured] })
    class FeatureModule {}
    const app = await boot(
      [
        CacheModule.forRootAsync({ on: 'audit', useFactory: () => ({ driver: 'store' as const, ttlMs: 5 }) }),
        StoreModule.forRoot({ url: 'net://a' }),
        StoreModule.forRootAsync({ name: 'audit', useFactory: async () => ({ url: 'net://b' }) }),
        FeatureModule,
      ],
      [Plain],
    );
    expect(app.get(CachePort).kind).toBe('store@net://b/5');
    expect(app.get(Plain).store.url).toBe('net://a');
    expect(app.get(Featured).store.url).toBe('net://b');
    expect(
      app
        .get(Connections)
        .checks()
        .map(check => check.name)
        .sort(),
    ).toEqual(['cache', 'store', 'store-audit']);
    await app.close();
    expect(log.filter(line => /drain|close/.test(line))).toEqual(
      ['drain cache', 'close cache', 'close store', 'close store:audit'].sort(
        (a, b) => log.indexOf(a) - log.indexOf(b),
      ),
    );
    expect(log.indexOf('close cache')).toBeLessThan(log.indexOf('close store:audit'));
  });
  it('refuses a bare import', async () => {
    const { StoreModule } = makeConcerns();
    await expect(boot([StoreModule])).rejects.toMatchObject({ code: 'INFRA_BARE_IMPORT' });
    await expect(boot([StoreModule, StoreModule.forRoot({ name: 'x', url: 'u' })])).rejects.toMatchObject({
      code: 'INFRA_BARE_IMPORT',
    });
  });
  it('refuses a duplicate, naming both', async () => {
    const { StoreModule } = makeConcerns();
    @Module({ imports: [StoreModule.forRoot({ url: 'a' })] })
    class One {}
    @Module({ imports: [StoreModule.forRoot({ url: 'b' })] })
    class Two {}
    const error: any = await boot([One, Two]).catch(e => e);
    expect(error).toMatchObject({ code: 'INFRA_DUPLICATE_CONNECTION' });
    expect(error.importers.sort()).toEqual(['One', 'Two']);
  });
  it('two forFeature', async () => {
    const { StoreModule } = makeConcerns();
    @Module({ imports: [StoreModule.forFeature('a'), StoreModule.forFeature('b')] })
    class F {}
    await expect(
      boot([F, StoreModule.forRoot({ url: 'a', name: 'a' }), StoreModule.forRoot({ url: 'b', name: 'b' })]),
    ).rejects.toMatchObject({ code: 'INFRA_DUPLICATE_FEATURE', module: 'F' });
  });
  it('config errors', async () => {
    const { CacheModule, StoreModule } = makeConcerns();
    const error: any = await boot([CacheModule.forRoot({ ttlMs: -1, ttlMz: 4 } as any)]).catch(e => e);
    expect(error.message).toMatch('cache.ttlMs');
    expect(error.message).toMatch('did you mean cache.ttlMs?');
    await expect(boot([CacheModule.forRoot({ driver: 'store', on: 'nowhere' })])).rejects.toMatchObject({
      code: 'INFRA_MISSING_UPSTREAM',
    });
    await expect(boot([StoreModule.forRootAsync()])).rejects.toMatchObject({ code: 'INFRA_CONFIG' });
  });
});
void connectionStages;
