import type { DriverSite } from '@core-infra/kernel';
import type { KafkaConfig } from '../../config/kafka.config.js';
import { usesTls } from '../../config/security.js';
import { InsecureKafkaError } from '../../errors.js';

/**
 * In production a connection has a login, and TLS where it leaves this host: else there is a warning.
 * @throws InsecureKafkaError where that is required
 */
export function assertSecure(config: KafkaConfig, { id, app, logger }: DriverSite): void {
  if (app.environment !== 'production') return;
  const leaves = config.brokers.some(broker => !/^(localhost|127\.[\d.]+|\[::1\]):/.test(broker));
  const missing = [
    !config.sasl.mechanism && !config.tls.cert && 'without a login',
    leaves && !usesTls(config) && 'without TLS, though it leaves this host',
  ].filter(Boolean);
  if (missing.length === 0) return;
  const error = new InsecureKafkaError(id, config.brokers.join(','), missing.join(' and '));
  if (config.requireSecure) throw error;
  logger.warn(error.message);
}
