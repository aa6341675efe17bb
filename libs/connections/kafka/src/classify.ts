import { isNativeError } from 'node:util/types';
import type { Classification } from '@core-infra/kernel';

/** What an error of kafkajs means to its caller; ours say it of themselves. */
export function classifyKafka(error: unknown): Classification | undefined {
  if (!isNativeError(error) || !error.name.startsWith('KafkaJS')) return undefined;
  const { name, retriable } = error as { name: string; retriable?: boolean };
  if (/^KafkaJS(Connection|RequestTimeout|BrokerNotFound|NoBrokerAvailable|Lock|MetadataNotLoaded)/.test(name))
    return { fault: 'dependency', retryable: true };
  if (name === 'KafkaJSNumberOfRetriesExceeded') return undefined; // its cause knows
  return { fault: 'dependency', retryable: retriable === true };
}
