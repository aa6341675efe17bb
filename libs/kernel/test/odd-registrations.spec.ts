import { Injectable, Module } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { ConnectionConfig, Connections, defineBehaviour, defineConcern, ConfigSection } from '@core-infra/kernel';
import { IsIn, IsInt } from 'class-validator';
import { boot, CachePort, closeApps, makeConcerns, refusal, StoreClient } from './fixtures/concerns.js';

afterEach(closeApps);

describe('odd registrations', () => {
  it('takes imports with nothing to inject from them', async () => {
    const { CacheModule } = makeConcerns();
    @Injectable()
    class Seen {}
    @Module({ providers: [Seen], exports: [Seen] })
    class Other {}
    const app = await boot([CacheModule.forRootAsync({ imports: [Other] })]);
    expect(app.get(CachePort).kind).toBe('memory');
    expect(app.get(Seen, { strict: false })).toBeInstanceOf(Seen);
  });

  it('takes an undefined name for none', async () => {
    const { CacheModule } = makeConcerns();
    const app = await boot([CacheModule.forRootAsync({ name: undefined, useFactory: () => ({ ttlMs: 5 }) })]);
    expect(app.get(CachePort).kind).toBe('memory');
  });

  it('makes the class of useClass with what it depends on', async () => {
    const { StoreModule } = makeConcerns();
    @Injectable()
    class Urls {
      readonly url = 'net://injected';
    }
    @Module({ providers: [Urls], exports: [Urls] })
    class UrlsModule {}
    @Injectable()
    class Options {
      constructor(private readonly urls: Urls) {}

      create() {
        return { url: this.urls.url };
      }
    }
    const app = await boot([StoreModule.forRootAsync({ imports: [UrlsModule], useClass: Options })]);
    expect(app.get(StoreClient).url).toBe('net://injected');
  });

  it('fails with the error of a factory that rejects, and opens nothing by the defaults instead', async () => {
    const { StoreModule, log } = makeConcerns();
    const error = await refusal([
      StoreModule.forRootAsync({ useFactory: () => Promise.reject(new Error('the vault is sealed')) }),
    ]);
    expect(error.message).toBe('the vault is sealed');
    expect(log).toEqual([]);
  });

  it('fails with the error of a factory of a module that opens no connection', async () => {
    @ConfigSection('quiet')
    class QuietConfig {
      @IsInt() level: number = 1;
    }
    const made: unknown[] = [];
    @Injectable()
    class Quiet {
      constructor(readonly config: QuietConfig) {
        made.push(config);
      }
    }
    @Module({})
    class QuietModule extends defineBehaviour({ name: 'quiet', config: QuietConfig, providers: [Quiet] }) {}
    const error = await refusal([
      QuietModule.forRootAsync({ useFactory: () => Promise.reject(new Error('the vault is sealed')) }),
    ]);
    expect(error.message).toBe('the vault is sealed');
    expect(made).toEqual([]);
  });

  it('says what hides a connection from forFeature', async () => {
    const { StoreModule } = makeConcerns();
    @Module({
      imports: [
        StoreModule.forRoot({ name: 'audit', url: 'net://audit', isGlobal: false }),
        StoreModule.forFeature('audit'),
      ],
    })
    class Audit {}
    expect((await refusal([Audit])).message).toContain('registered with isGlobal: false');
  });

  it('keeps a connection that is not global to the module that registers it', async () => {
    const { StoreModule } = makeConcerns();
    @Injectable()
    class Inside {
      constructor(readonly store: StoreClient) {}
    }
    @Module({ imports: [StoreModule.forRoot({ url: 'net://in', isGlobal: false })], providers: [Inside] })
    class Own {}
    @Injectable()
    class Outside {
      constructor(readonly store: StoreClient) {}
    }
    expect((await boot([Own])).get(Inside, { strict: false }).store.url).toBe('net://in');
    await expect(boot([Own], [Outside])).rejects.toThrow(/StoreClient/);
  });

  it('names the connection of a client that cannot even be constructed', async () => {
    abstract class Port {}
    class BrokenConfig extends ConnectionConfig {
      @IsIn(['only']) driver: 'only' = 'only';
    }
    const concern = defineConcern({
      name: 'broken',
      port: Port,
      config: BrokenConfig,
      drivers: {
        only: () => {
          throw new TypeError('bad option in net://u:s3cret@h');
        },
      },
    });
    @Module({})
    class BrokenModule extends concern.ConcernModule {}
    const error = await refusal([BrokenModule.forRoot()]);
    expect(error).toMatchObject({ code: 'INFRA_CONNECT_FAILED', connection: 'broken', cause: expect.any(TypeError) });
    expect(error.message).toContain('bad option in net://****@h');
    expect(JSON.stringify(error)).not.toContain('s3cret');
  });
});

describe('a lazy module', () => {
  it('opens its connection when it is loaded, and has it closed with the rest', async () => {
    const { CacheModule, StoreModule, storeToken, log } = makeConcerns();
    const app = await boot([CacheModule.forRoot()]);
    @Module({ imports: [StoreModule.forRoot({ url: 'net://lazy' })] })
    class Lazy {}
    const lazy = await app.get(LazyModuleLoader).load(() => Lazy);
    expect(lazy.get<StoreClient>(storeToken() as never, { strict: false }).url).toBe('net://lazy');
    await app.close();
    expect(log).toEqual(['connect store', 'drain store', 'close store']);
  });

  it('leaves nothing behind when its server is away, and can be loaded again', async () => {
    let away = true;
    const connect = () => {
      if (away) throw new Error('wrong password');
    };
    const { CacheModule, StoreModule, log } = makeConcerns({ connect });
    const app = await boot([CacheModule.forRoot()]);
    const load = () => {
      @Module({ imports: [StoreModule.forRoot({ url: 'net://lazy' })] })
      class Lazy {}
      return app.get(LazyModuleLoader).load(() => Lazy);
    };
    await expect(load()).rejects.toMatchObject({ code: 'INFRA_CONNECT_FAILED' });
    expect(log).toEqual(['close store']);
    expect(app.get(Connections).list()).toMatchObject([{ id: 'cache', state: 'open' }]);
    away = false;
    await load();
    expect(app.get(Connections).list()).toMatchObject([{ id: 'cache' }, { id: 'store', state: 'open' }]);
  });
});

describe('two apps in one process', () => {
  it('have configurations of their own', async () => {
    const { StoreModule } = makeConcerns();
    const [one, two] = await Promise.all([
      boot([StoreModule.forRoot({ url: 'net://one' })]),
      boot([StoreModule.forRootAsync({ useFactory: async () => ({ url: 'net://two' }) })]),
    ]);
    expect([one.get(StoreClient).url, two.get(StoreClient).url]).toEqual(['net://one', 'net://two']);
  });
});
