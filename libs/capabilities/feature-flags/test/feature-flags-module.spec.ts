import { Injectable, Logger, Module } from '@nestjs/common';
import { Connections, RequestContext } from '@core-infra/kernel';
import { ContextModule } from '@core-infra/context';
import { bootInfra, loadedPackages } from '@core-infra/testing';
import {
  FeatureFlags,
  FeatureFlagsModule,
  flagUsage,
  type FlagUsage,
  InjectFeatureFlags,
  overrideFlags,
  storeOf,
} from '../src/index.js';
import { untyped } from './support/untyped.js';

describe('the module of feature flags', () => {
  it('knows the user of the running request', async () => {
    await using app = await bootInfra(
      ContextModule.forRoot(),
      FeatureFlagsModule.forRoot({ flags: { a: { users: ['ann'] } } }),
    );
    const flags = untyped(app.get(FeatureFlags));
    const context = app.get(RequestContext);
    const as = (userId: string) => context.run({ userId }, () => flags.isEnabled('a'));
    expect([as('ann'), as('bob'), flags.isEnabled('a')]).toEqual([true, false, false]);
  });

  it('has flags by name, each with a configuration of its own', async () => {
    @Injectable()
    class Service {
      constructor(
        readonly plain: FeatureFlags,
        @InjectFeatureFlags('ops') readonly ops: FeatureFlags,
      ) {}
    }
    @Module({ providers: [Service] })
    class ServiceModule {}
    await using app = await bootInfra(
      FeatureFlagsModule.forRoot({ flags: { banner: 'a' } }),
      FeatureFlagsModule.forRoot({ name: 'ops', flags: { banner: 'b' } }),
      ServiceModule,
    );
    const { plain, ops } = app.get(Service);
    expect([untyped(plain).value('banner', ''), untyped(ops).value('banner', '')]).toEqual(['a', 'b']);
  });

  it('reports its version, its source and its age', async () => {
    await using app = await bootInfra(FeatureFlagsModule.forRoot({ flags: { a: true, b: false } }));
    const [check] = app.get(Connections).checks();
    expect(check).toMatchObject({ name: 'feature-flags', critical: false });
    expect(await check?.run()).toEqual({ source: 'configuration', version: 0, flags: 2, ageMs: expect.any(Number) });
  });

  it('tells of each evaluation on a channel, with labels of a bounded set', async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    await using app = await bootInfra(FeatureFlagsModule.forRoot({ flags: { a: { rollout: 100 }, b: true } }));
    const flags = untyped(app.get(FeatureFlags));
    const heard: FlagUsage[] = [];
    const listen = (message: unknown) => void heard.push(message as FlagUsage);
    flagUsage.subscribe(listen);
    try {
      flags.isEnabled('a', { targetingKey: 'ann@secret.org' });
      flags.variant('b');
      flags.value('who-knows-what', 1);
    } finally {
      flagUsage.unsubscribe(listen);
      jest.restoreAllMocks();
    }
    flags.isEnabled('a');
    expect(heard).toEqual([
      { connection: 'feature-flags', flag: 'a', variant: 'on', reason: 'SPLIT' },
      { connection: 'feature-flags', flag: 'b', variant: 'on', reason: 'STATIC' },
      { connection: 'feature-flags', flag: 'unknown', variant: 'none', reason: 'ERROR' },
    ]);
  });

  it('lets a test put its own flags over those that are in force', async () => {
    await using app = await bootInfra(FeatureFlagsModule.forRoot({ flags: { a: false } }));
    const flags = app.get(FeatureFlags);
    const changes: (readonly string[])[] = [];
    const end = flags.onChange(change => changes.push(change.flags));
    const undo = overrideFlags(flags, { a: true, new: 'x' });
    expect([untyped(flags).isEnabled('a'), untyped(flags).value('new', '')]).toEqual([true, 'x']);
    undo();
    end();
    overrideFlags(flags, { a: true });
    expect(changes).toEqual([
      ['a', 'new'],
      ['a', 'new'],
    ]);
    expect(() => overrideFlags(flags, { a: { rollout: 1, requires: 'nobody' } })).toThrow('no flag "nobody"');
    expect(untyped(flags).isEnabled('a')).toBe(true);
  });

  it('stores nothing without a store', async () => {
    await using app = await bootInfra(FeatureFlagsModule.forRoot({}));
    expect(() => storeOf(app.get(FeatureFlags))).toThrow('The flags come from the driver "memory"');
  });

  it('loads no client of Redis and no OpenFeature SDK unless asked', async () => {
    const loaded = await loadedPackages(require.resolve('../src/index.ts'));
    expect(loaded).not.toContain('ioredis');
    expect(loaded).not.toContain('@openfeature/server-sdk');
    expect(loaded).toContain('@openfeature/flagd-core');
  });
});
