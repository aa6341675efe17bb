import type { DriverSite } from '@core-infra/kernel';
import type { RedisConfig } from '../config/redis.config.js';
import { InsecureRedisError } from '../errors.js';
import { addressOf, hostsOf } from './ioredis-options.js';

/**
 * In production a connection has a password, and TLS where it leaves this host: else there is a warning.
 * @throws InsecureRedisError where that is required
 */
export function assertSecure(config: RedisConfig, { id, app, logger }: DriverSite): void {
  if (app.environment !== 'production') return;
  const leaves = hostsOf(config).some(host => !isLocal(host));
  const missing = [
    !config.password && !config.tls.cert && 'without a password',
    leaves && !config.tls.enabled && 'without TLS, though it leaves this host',
  ].filter(Boolean);
  if (missing.length === 0) return;
  const error = new InsecureRedisError(id, addressOf(config), missing.join(' and '));
  if (config.requireSecure) throw error;
  logger.warn(error.message);
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.');
}
