import { bootInfra } from '@core-infra/testing';
import { FeatureFlags, FeatureFlagsModule } from '../src/index.js';
import { untyped } from './support/untyped.js';

describe('feature flags of the configuration', () => {
  it('answers from the configuration, whatever form a flag has there', async () => {
    await using app = await bootInfra(
      FeatureFlagsModule.forRoot({
        flags: {
          plain: true,
          off: false,
          banner: 'a',
          limit: 5,
          nobody: { rollout: 0 },
          everybody: { rollout: 100 },
          some: { users: ['ann'], roles: ['staff'] },
          theme: {
            state: 'ENABLED',
            variants: { light: { colour: 'white' }, dark: { colour: 'black' } },
            defaultVariant: 'light',
            targeting: { if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'dark', null] },
          },
        },
      }),
    );
    const flags = untyped(app.get(FeatureFlags));
    expect(flags.isEnabled('plain')).toBe(true);
    expect(flags.isEnabled('off', {}, true)).toBe(false);
    expect(flags.value('banner', 'b')).toBe('a');
    expect(flags.value('limit', 1)).toBe(5);
    expect(flags.isEnabled('nobody', { targetingKey: 'ann' })).toBe(false);
    expect(flags.isEnabled('everybody', { targetingKey: 'ann' })).toBe(true);
    expect(flags.isEnabled('some', { targetingKey: 'ann' })).toBe(true);
    expect(flags.isEnabled('some', { targetingKey: 'bob' })).toBe(false);
    expect(flags.isEnabled('some', { targetingKey: 'bob', roles: ['guest', 'staff'] })).toBe(true);
    expect(flags.value<object>('theme', {}, { plan: 'pro' })).toEqual({ colour: 'black' });
    expect(flags.variant('theme')).toBe('light');
    expect(flags.details('theme', {})).toEqual({
      flag: 'theme',
      value: { colour: 'white' },
      variant: 'light',
      reason: 'DEFAULT',
      version: 0,
      metadata: {},
    });
  });
});
