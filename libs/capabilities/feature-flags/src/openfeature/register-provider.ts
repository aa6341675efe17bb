import { type DriverSite, importPackage } from '@core-infra/kernel';
import type { FeatureFlags } from '../feature-flags.js';
import { FlagsProvider } from './flags.provider.js';

/**
 * Registers flags with the OpenFeature API, which is one for the whole process.
 * @param domain empty for the default provider
 * @returns puts OpenFeature's own no-op provider back, unless somebody has registered another one meanwhile
 */
export async function registerProvider(
  flags: FeatureFlags,
  domain: string,
  at: DriverSite,
): Promise<() => Promise<void>> {
  const { OpenFeature, NOOP_PROVIDER } = await importPackage(() => import('@openfeature/server-sdk'), at.id, [
    '@openfeature/server-sdk@^1.20.0',
  ]);
  const current = () => (domain ? OpenFeature.getProvider(domain) : OpenFeature.getProvider());
  const register = (provider: typeof NOOP_PROVIDER | FlagsProvider) =>
    domain ? OpenFeature.setProviderAndWait(domain, provider) : OpenFeature.setProviderAndWait(provider);
  const provider = new FlagsProvider(flags);
  if (current() instanceof FlagsProvider)
    at.logger.warn(
      domain
        ? `Another app of this process is registered for the OpenFeature domain "${domain}", and is replaced`
        : 'Another app of this process may be OpenFeature’s default provider, and is replaced: give each its featureFlags.openFeatureDomain',
    );
  await register(provider);
  return async () => {
    if (current() === provider) await register(NOOP_PROVIDER);
    await provider.onClose();
  };
}
