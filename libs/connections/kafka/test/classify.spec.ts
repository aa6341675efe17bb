import { classify } from '@core-infra/kernel';
import { classifyKafka, KafkaDeliveryTimeoutError, KafkaUnknownTopicError } from '@core-infra/kafka';
import { KafkaJSConnectionError, KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded } from 'kafkajs';

const of = (error: unknown) => classify(error, [classifyKafka]);

describe('classifyKafka', () => {
  it('knows the errors of kafkajs, by what caused them', () => {
    const lost = new KafkaJSConnectionError('Connection timeout', { broker: 'a:1' } as never);
    expect(of(lost)).toEqual({ fault: 'dependency', retryable: true });
    const counted = new KafkaJSNumberOfRetriesExceeded(lost, { retryCount: 3, retryTime: 1 });
    expect(of(counted)).toEqual({ fault: 'dependency', retryable: true });
    expect(of(new KafkaJSNonRetriableError('no'))).toEqual({ fault: 'dependency', retryable: false });
    expect(classifyKafka(new Error('of somebody else'))).toBeUndefined();
  });

  it('leaves ours to say it of themselves', () => {
    expect(of(new KafkaDeliveryTimeoutError('orders', 5, true, undefined))).toEqual({
      fault: 'dependency',
      retryable: true,
    });
    expect(of(new KafkaUnknownTopicError('orders'))).toEqual({ fault: 'server', retryable: false });
  });
});
