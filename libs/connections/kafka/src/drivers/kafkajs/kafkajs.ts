import type { DriverSite, Opened } from '@core-infra/kernel';
import type { KafkaConfig } from '../../config/kafka.config.js';
import { checkCluster, checkConsumers, checkProducer } from '../../health/checks.js';
import type { KafkaClient } from '../../kafka.client.js';
import { BatchingProducer } from '../../producer/batching-producer.js';
import { KafkajsAdmin } from './admin.js';
import { prepareCompression } from './compression.js';
import { correctConnecting } from './connecting.js';
import { correctEmptyBatches } from './empty-batches.js';
import { correctHeaders } from './headers.js';
import { KafkajsClient } from './kafkajs-client.js';
import { makeKafka } from './options.js';
import { correctProduceRequest } from './produce-request.js';
import { correctRequestQueue } from './request-queue.js';
import { correctDecoding } from './own-decoding.js';
import { KafkajsReader } from './reader.js';
import { assertSecure } from './security.js';
import { KafkajsSender } from './sender.js';

/** Kafka through kafkajs. */
export async function kafkajs(config: KafkaConfig, at: DriverSite): Promise<Opened<KafkaClient>> {
  assertSecure(config, at);
  correctRequestQueue();
  correctEmptyBatches();
  correctDecoding();
  correctConnecting();
  correctHeaders();
  correctProduceRequest();
  const compression = await prepareCompression(config.compression, at.id);
  const kafka = makeKafka(config, at);
  const admin = new KafkajsAdmin(kafka, config, at);
  const sender = new KafkajsSender(kafka, admin, config, at, compression);
  const producer = new BatchingProducer(at.id, config, sender);
  const reader = new KafkajsReader(kafka, admin, config, at);
  const client = new KafkajsClient(kafka, producer, admin, reader, config, at);
  return {
    client,
    address: config.brokers.join(','),
    connect: async () => {
      await admin.connect();
      await admin.cluster();
    },
    check: {
      '': () => checkCluster(admin),
      producer: () => checkProducer(admin, producer, sender, config),
      consumer: () => checkConsumers(admin, client.members, config),
    },
    drain: signal => client.drain(signal),
    close: async signal => {
      await client.drain(AbortSignal.any([signal, AbortSignal.timeout(config.shutdownTimeoutMs / 4)]));
      const soon = AbortSignal.any([signal, AbortSignal.timeout(config.shutdownTimeoutMs / 2)]);
      await producer.close(soon);
      await Promise.all([sender.close(), reader.close(), admin.close(soon)]);
    },
  };
}
