import { AppState, Connections, ConnectionConfig, defineConcern, KernelModule, type Opened } from '@core-infra/kernel';
import { type DynamicModule, Injectable, Module } from '@nestjs/common';
import { IsIn } from 'class-validator';
import { boot, closeApps, makeConcerns, refusal } from './fixtures/concerns.js';

afterEach(closeApps);

const refused = () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));

/** Registers a concern with one driver, of which only the steps matter. */
function registered(
  name: string,
  opened: Omit<Opened<object>, 'client'>,
  config: Partial<ConnectionConfig> = {},
): DynamicModule {
  abstract class Port {}
  class Config extends ConnectionConfig {
    @IsIn(['only']) driver: 'only' = 'only';
  }
  const drivers = { only: () => ({ client: {}, ...opened }) };
  const concern = defineConcern<Config, object>({ name, port: Port, config: Config, drivers });
  @Module({})
  class ConcernModule extends concern.ConcernModule {}
  return ConcernModule.forRoot({ ...config, driver: 'only' });
}

describe('the error of a boot that fails', () => {
  it('is the first one, not that of a connection which was given up because of it', async () => {
    let release!: () => void;
    const othersAreOpening = new Promise<void>(resolve => (release = resolve));
    const error = await refusal([
      // Its close ends last, so that the others have every chance to be heard first.
      registered('slow', { close: () => new Promise(resolve => setTimeout(resolve, 50)) }),
      registered('retrying', { connect: () => (release(), refused()) }),
      registered('bad', { connect: () => othersAreOpening.then(() => Promise.reject(new Error('wrong password'))) }),
    ]);
    expect(error).toMatchObject({ code: 'INFRA_CONNECT_FAILED', connection: 'bad', reason: 'wrong password' });
  });

  it('is that of the connection below, and not that nobody registers it', async () => {
    const { CacheModule, StoreModule } = makeConcerns({ connect: () => Promise.reject(new Error('wrong password')) });
    const upstream = await refusal([CacheModule.forRoot({ driver: 'store' }), StoreModule.forRoot({ url: 'net://a' })]);
    expect(upstream).toMatchObject({ code: 'INFRA_CONNECT_FAILED', connection: 'store' });
    const feature = await refusal([
      StoreModule.forFeature('audit'),
      StoreModule.forRoot({ name: 'audit', url: 'net://a' }),
    ]);
    expect(feature).toMatchObject({ code: 'INFRA_CONNECT_FAILED', connection: 'store:audit' });
  });

  it('comes when everything is closed, whichever call hears of it first', async () => {
    const seen: string[] = [];
    const close = async () => {
      await new Promise(resolve => setTimeout(resolve, 30));
      seen.push('closed');
    };
    await refusal([
      registered('slow', { close }),
      registered('one', { connect: () => Promise.reject(new Error('one')) }),
      registered('two', { connect: () => Promise.reject(new Error('two')) }),
    ]);
    expect(seen).toEqual(['closed']);
  });

  it('shows no credentials that a driver or a client puts into addresses and messages', async () => {
    const error = await refusal([
      registered('leaky', {
        address: 'net://app:s3cret@host',
        connect: () => Promise.reject(new Error('cannot reach net://app:s3cret@host')),
      }),
    ]);
    expect(error.message).toContain('leaky at net://****@host could not be opened: cannot reach net://****@host.');
    expect(JSON.stringify(error)).not.toContain('s3cret');
    const app = await boot([registered('shown', { address: 'net://app:s3cret@host' })]);
    expect(app.get(Connections).list()).toMatchObject([{ address: 'net://****@host' }]);
  });
});

describe('abortBoot', () => {
  it('closes also when a hook fails after the connections were told that the boot is over', async () => {
    const { StoreModule, log } = makeConcerns();
    let connections: Connections | undefined;
    @Injectable()
    class Last {
      constructor(opened: Connections) {
        connections = opened;
      }

      onApplicationBootstrap(): void {
        expect(connections!.list()).toHaveLength(1);
        throw new Error('the last hook failed');
      }
    }
    await expect(boot([KernelModule, StoreModule.forRoot({ url: 'net://a' })], [Last])).rejects.toThrow(
      'the last hook failed',
    );
    await connections!.abortBoot();
    expect(log).toEqual(['connect store', 'close store']);
  });
});

describe('the shutdown', () => {
  it('does not wait for a background connect that does not listen to its signal', async () => {
    const seen: string[] = [];
    const app = await boot([
      registered(
        'deaf',
        { connect: () => new Promise<never>(() => undefined), close: () => seen.push('close') },
        { startup: 'background', connectTimeoutMs: 600_000 },
      ),
    ]);
    const state = app.get(AppState);
    await app.close();
    expect(seen).toEqual(['close']);
    expect(state.phase).toBe('closed');
  });
});
