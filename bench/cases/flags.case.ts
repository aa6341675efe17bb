import { FeatureFlags, FeatureFlagsModule } from '@core-infra/feature-flags';
import { NestFactory } from '@nestjs/core';
import { Module } from '@nestjs/common';
import { InMemoryProvider, OpenFeature } from '@openfeature/server-sdk';
import { InMemStorageProvider, Unleash } from 'unleash-client';
import type { BenchCase } from '../harness/bench-case.js';
import { type Loop, loopVariant, sink } from '../harness/loop.js';

declare module '@core-infra/feature-flags' {
  interface FlagTypes {
    'new-checkout': boolean;
    discount: boolean;
  }
}

/** Users among whom the rollout is decided. */
const users = Array.from({ length: 1_024 }, (_, at) => `user-${at}`);
const PERCENT = 20;

@Module({
  imports: [
    FeatureFlagsModule.forRoot({
      flags: { 'new-checkout': true, discount: { rollout: PERCENT } },
    }),
  ],
})
class OursModule {}

/** Asks for a flag of one user after the other. */
const forEachUser =
  (isEnabled: (user: string) => boolean): Loop =>
  times => {
    let enabled = 0;
    for (let at = 0; at < times; at += 1) if (isEnabled(users[at & 1_023]!)) enabled += 1;
    sink.value += enabled;
  };

async function unleash(): Promise<Unleash> {
  const flag = (name: string, strategy: string, parameters: Record<string, string>) => ({
    name,
    type: 'release',
    enabled: true,
    impressionData: false,
    variants: [],
    strategies: [{ name: strategy, parameters, constraints: [] }],
  });
  const client = new Unleash({
    appName: 'bench',
    // Nobody is there: what it knows comes from `bootstrap`.
    url: 'http://127.0.0.1:9/api',
    disableMetrics: true,
    refreshInterval: 0,
    skipInstanceCountWarning: true,
    storageProvider: new InMemStorageProvider(),
    bootstrap: {
      data: [
        flag('new-checkout', 'default', {}),
        flag('discount', 'flexibleRollout', { rollout: String(PERCENT), stickiness: 'userId', groupId: 'discount' }),
      ],
    },
  });
  client.on('error', () => {}); // nobody is there
  await new Promise(resolve => client.once('ready', resolve));
  return client;
}

async function openFeature() {
  const on = { variants: { on: true, off: false }, defaultVariant: 'on', disabled: false };
  await OpenFeature.setProviderAndWait('bench', new InMemoryProvider({ 'new-checkout': on }));
  return OpenFeature.getClient('bench');
}

export const flags: BenchCase = {
  name: 'flags',
  about:
    `A boolean flag that is on, and one that is rolled out to ${PERCENT} % of ${users.length.toLocaleString('en-US')} users. *core-infra*: ` +
    '`FeatureFlags.isEnabled` on a flagd definition. *unleash-client*: `isEnabled`, without metrics. *OpenFeature*: `getBooleanValue` of its ' +
    'server SDK on its in-memory provider.',
  rounds: 21,
  metrics: [{ key: 'nsPerCall', label: 'CPU per answer', unit: 'ns', digits: 0 }],
  goals: [
    {
      metric: 'nsPerCall',
      variant: 'core-infra, boolean',
      against: { variant: 'unleash-client, boolean', as: 'ratio' },
      atMost: 1,
    },
    {
      metric: 'nsPerCall',
      variant: 'core-infra, rollout',
      against: { variant: 'unleash-client, rollout', as: 'ratio' },
      atMost: 5,
    },
    {
      metric: 'nsPerCall',
      variant: 'core-infra, boolean',
      against: { variant: 'OpenFeature SDK, boolean', as: 'ratio' },
      atMost: 0.1,
    },
  ],
  async open(effort) {
    const app = await NestFactory.createApplicationContext(OursModule, { logger: false, abortOnError: false });
    const ours = app.get(FeatureFlags);
    const theirs = await unleash();
    const sdk = await openFeature();
    return {
      variants: [
        loopVariant(
          'core-infra, boolean',
          forEachUser(user => ours.isEnabled('new-checkout', { targetingKey: user })),
          effort,
        ),
        loopVariant(
          'core-infra, rollout',
          forEachUser(user => ours.isEnabled('discount', { targetingKey: user })),
          effort,
        ),
        loopVariant(
          'unleash-client, boolean',
          forEachUser(user => theirs.isEnabled('new-checkout', { userId: user })),
          effort,
        ),
        loopVariant(
          'unleash-client, rollout',
          forEachUser(user => theirs.isEnabled('discount', { userId: user })),
          effort,
        ),
        loopVariant(
          'OpenFeature SDK, boolean',
          async times => {
            let enabled = 0;
            for (let at = 0; at < times; at += 1) {
              const targetingKey = users[at & 1_023]!;
              if (await sdk.getBooleanValue('new-checkout', false, { targetingKey })) enabled += 1;
            }
            sink.value += enabled;
          },
          effort,
        ),
      ],
      async close() {
        theirs.destroy();
        await OpenFeature.clearProviders();
        await app.close();
      },
    };
  },
};
