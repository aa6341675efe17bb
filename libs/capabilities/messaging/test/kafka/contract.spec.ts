import { useKafka } from '@core-infra/testing';
import { messagingContract } from '../../src/testing/index.js';
import { bootKafka } from './support/boot-kafka.js';

jest.setTimeout(120_000);

describe('kafka', () => {
  const kafka = useKafka();
  messagingContract({
    features: { ordered: true, schedule: false, reach: 'network', durable: true, retention: 'log' },
    boot: (options, controllers) => bootKafka({ brokers: kafka.brokers, options, controllers }),
  });
});
