import type { DriverSite } from '@core-infra/kernel';
import { Kafka, type KafkaConfig as KafkajsOptions, logLevel, type SASLOptions } from 'kafkajs';
import type { KafkaConfig } from '../../config/kafka.config.js';
import { usesTls } from '../../config/security.js';
import { tlsOptions } from '../../config/tls.js';
import { logTo } from './log.js';
import { tokenProvider } from './token.js';

/**
 * A `Kafka` of kafkajs. Every member of a group has one of its own: those that share one share what they believe to be committed.
 * @throws KafkaTlsFileError when a certificate or key cannot be read
 */
export function makeKafka(config: KafkaConfig, at: DriverSite): Kafka {
  return new Kafka(kafkajsOptions(config, at));
}

function kafkajsOptions(config: KafkaConfig, at: DriverSite): KafkajsOptions {
  const { retry } = config;
  return {
    brokers: [...config.brokers],
    clientId: config.clientId ?? at.app.name,
    // Before the kernel gives up, who would not know why.
    connectionTimeout: Math.ceil(config.connectTimeoutMs * 0.9),
    authenticationTimeout: config.requestTimeoutMs,
    requestTimeout: config.requestTimeoutMs,
    retry: { retries: 2, initialRetryTime: retry.firstDelayMs, maxRetryTime: retry.maxDelayMs },
    ssl: usesTls(config) && tlsOptions(config.tls),
    sasl: saslOptions(config),
    // More would be written for every pause, or for each request.
    logLevel: logLevel.WARN,
    logCreator: logTo(at.logger),
    ...config.kafkajs,
  };
}

function saslOptions({ sasl }: KafkaConfig): SASLOptions | undefined {
  const { mechanism, username = '', password = '' } = sasl;
  switch (mechanism) {
    case undefined:
      return undefined;
    case 'OAUTHBEARER':
      return { mechanism: 'oauthbearer', oauthBearerProvider: tokenProvider(sasl) };
    case 'PLAIN':
      return { mechanism: 'plain', username, password };
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username, password };
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username, password };
  }
}
