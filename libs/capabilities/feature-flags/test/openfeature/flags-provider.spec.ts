import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type EventDetails, OpenFeature, type Provider, ProviderEvents } from '@openfeature/server-sdk';
import fc from 'fast-check';
import { Logger } from '@nestjs/common';
import { bootInfra, eventually, uniqueName } from '@core-infra/testing';
import { FeatureFlags, FeatureFlagsModule, FlagsProvider, overrideFlags } from '../../src/index.js';
import { booleanFlag } from '../support/compile.js';
import { useFolder } from '../support/use-folder.js';
import { untyped } from '../support/untyped.js';

const folder = useFolder();

const flags = {
  plain: true,
  banner: 'a',
  limit: 5,
  rollout: { rollout: 50, users: ['ann'] },
  theme: { state: 'ENABLED' as const, variants: { light: { colour: 'white' } }, defaultVariant: 'light' },
  off: { state: 'DISABLED' as const, variants: { on: true, off: false }, defaultVariant: 'on' },
  rules: booleanFlag({ if: [{ ends_with: [{ var: 'email' }, '@x.org'] }, 'on', 'off'] }),
  broken: booleanFlag({ var: 'email' }),
};

beforeEach(() => jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined));
afterEach(async () => {
  jest.restoreAllMocks();
  await OpenFeature.clearProviders();
});

describe('people who use the OpenFeature SDK', () => {
  it('get the same answers', async () => {
    const domain = uniqueName('domain');
    await using app = await bootInfra(
      FeatureFlagsModule.forRoot({ flags, openFeature: true, openFeatureDomain: domain }),
    );
    const own = untyped(app.get(FeatureFlags));
    const client = OpenFeature.getClient(domain);
    const context = fc.record(
      { targetingKey: fc.constantFrom('ann', 'bob', 'eve', ''), email: fc.constantFrom('a@x.org', 'b', 'on') },
      { requiredKeys: [] },
    );
    const name = fc.constantFrom(...Object.keys(flags), 'unknown');
    const fallback = fc.constantFrom<boolean | string | number | object>(true, false, 'x', 7, { colour: 'none' });
    await fc.assert(
      fc.asyncProperty(name, fallback, context, async (flag, otherwise, asker) => {
        const { value, variant, reason, errorCode } = own.details(flag, otherwise, asker);
        const found =
          typeof otherwise === 'boolean'
            ? await client.getBooleanDetails(flag, otherwise, asker)
            : typeof otherwise === 'string'
              ? await client.getStringDetails(flag, otherwise, asker)
              : typeof otherwise === 'number'
                ? await client.getNumberDetails(flag, otherwise, asker)
                : await client.getObjectDetails(flag, otherwise as { colour: string }, asker);
        expect([found.value, found.variant, found.reason, found.errorCode]).toEqual([
          value,
          variant,
          reason,
          errorCode,
        ]);
      }),
      { numRuns: 500 },
    );
  });

  it('ask its default provider where no domain is set, and nobody once the app is closed', async () => {
    const app = await bootInfra(FeatureFlagsModule.forRoot({ flags, openFeature: true }));
    expect(await OpenFeature.getClient().getStringValue('banner', 'none')).toBe('a');
    expect(OpenFeature.getProvider().metadata.name).toBe('core-infra');
    await app.close();
    expect(await OpenFeature.getClient().getStringValue('banner', 'none')).toBe('none');
  });

  it('are not parted from a provider that somebody else has registered meanwhile', async () => {
    const app = await bootInfra(FeatureFlagsModule.forRoot({ flags, openFeature: true }));
    const other = new FlagsProvider(app.get(FeatureFlags));
    await OpenFeature.setProviderAndWait(other);
    await app.close();
    expect(OpenFeature.getProvider()).toBe(other);
  });

  it('of two apps in one process each get their own', async () => {
    const [one, two] = [uniqueName('one'), uniqueName('two')];
    await using _a = await bootInfra(
      FeatureFlagsModule.forRoot({ flags: { banner: 'a' }, openFeature: true, openFeatureDomain: one }),
    );
    await using _b = await bootInfra(
      FeatureFlagsModule.forRoot({ flags: { banner: 'b' }, openFeature: true, openFeatureDomain: two }),
    );
    const ask = (domain: string) => OpenFeature.getClient(domain).getStringValue('banner', 'none');
    expect(await Promise.all([ask(one), ask(two)])).toEqual(['a', 'b']);
  });

  it('hear which flags changed', async () => {
    const path = join(folder.path, 'flags.json');
    await writeFile(path, JSON.stringify({ flags: { a: booleanFlag(), b: booleanFlag() } }));
    const domain = uniqueName('domain');
    await using _ = await bootInfra(
      FeatureFlagsModule.forRoot({ driver: 'file', path, openFeature: true, openFeatureDomain: domain }),
    );
    const heard: EventDetails[] = [];
    const client = OpenFeature.getClient(domain);
    client.addHandler(ProviderEvents.ConfigurationChanged, details => void heard.push(details as EventDetails));
    await writeFile(
      path,
      JSON.stringify({ flags: { a: booleanFlag(), b: { ...booleanFlag(), defaultVariant: 'on' } } }),
    );
    await eventually(() => expect(heard.at(-1)).toMatchObject({ providerName: 'core-infra', flagsChanged: ['b'] }));
    expect(await client.getBooleanValue('b', false)).toBe(true);
  });

  it('may register the provider themselves', async () => {
    await using app = await bootInfra(FeatureFlagsModule.forRoot({ flags }));
    const provider: Provider = new FlagsProvider(app.get(FeatureFlags));
    const domain = uniqueName('domain');
    await OpenFeature.setProviderAndWait(domain, provider);
    const client = OpenFeature.getClient(domain);
    expect(await client.getNumberValue('limit', 0)).toBe(5);
    const undo = overrideFlags(app.get(FeatureFlags), { limit: 6 });
    expect(await client.getNumberValue('limit', 0)).toBe(6);
    undo();
    expect(await client.getNumberValue('limit', 0)).toBe(5);
  });
});
