import { KafkaModule, type KafkaOptions } from '@core-infra/kafka';
import type { HttpApp, Importable } from '@core-infra/testing';
import type { Type } from '@nestjs/common';
import type { MessagingOptions } from '../../../src/index.js';
import { bootMessaging } from '../../support/boot-messaging.js';

export interface BootKafka {
  readonly brokers: readonly string[];
  readonly controllers?: readonly Type[];
  readonly imports?: readonly Importable[];
  readonly options?: MessagingOptions;
  readonly kafka?: KafkaOptions;
}

/** An app with these handlers over Kafka, with a pace for specs. */
export function bootKafka({ brokers, controllers = [], imports = [], options, kafka }: BootKafka): Promise<HttpApp> {
  return bootMessaging({
    controllers,
    imports: [
      KafkaModule.forRoot({
        brokers: [...brokers],
        consumer: { heartbeatIntervalMs: 200, fetchMaxWaitMs: 50 },
        ...kafka,
      }),
      ...imports,
    ],
    options: { driver: 'kafka', ...options },
  });
}
