import type { BenchCase } from '../harness/bench-case.js';
import { boot } from './boot.case.js';
import { cacheHit } from './cache-hit.case.js';
import { cacheMemory } from './cache-memory.case.js';
import { cacheSharedHit } from './cache-shared-hit.case.js';
import { cacheStampede } from './cache-stampede.case.js';
import { cachedOrder } from './cached-order.case.js';
import { configRead } from './config-read.case.js';
import { flags } from './flags.case.js';
import { health } from './health.case.js';
import { httpGet } from './http-get.case.js';
import { kafkaProduce } from './kafka-produce.case.js';
import { logLine } from './log-line.case.js';
import { postgresConsume, postgresPublish } from './messaging-postgres.case.js';
import { rabbitmqConsume, rabbitmqPublish } from './messaging-rabbitmq.case.js';
import { messagingMemory } from './messaging-memory.case.js';
import { messagingKafkaConsume, messagingKafkaPublish } from './messaging-kafka.case.js';
import { messagesInHand } from './messages-in-hand.case.js';
import { natsConsume, natsPublish } from './messaging-nats.case.js';
import { inboxBatch } from './inbox-batch.case.js';
import { orderedPoison } from './ordered-poison.case.js';
import { outboxBacklog } from './outbox-backlog.case.js';
import { outboxKafka } from './outbox-kafka.case.js';
import { outboxLatency } from './outbox-latency.case.js';
import { outboxRelay } from './outbox-relay.case.js';
import { rateLimitCallers } from './rate-limit-callers.case.js';
import { rateLimitHang } from './rate-limit-hang.case.js';
import { rateLimitMemory } from './rate-limit-memory.case.js';
import { rateLimit } from './rate-limit.case.js';

export const cases: readonly BenchCase[] = [
  httpGet,
  logLine,
  configRead,
  health,
  boot,
  cacheHit,
  cacheSharedHit,
  cacheStampede,
  cacheMemory,
  cachedOrder,
  rateLimit,
  rateLimitHang,
  rateLimitMemory,
  rateLimitCallers,
  flags,
  messagingMemory,
  messagesInHand,
  outboxRelay,
  outboxKafka,
  outboxBacklog,
  outboxLatency,
  inboxBatch,
  orderedPoison,
  kafkaProduce,
  postgresPublish,
  postgresConsume,
  messagingKafkaPublish,
  messagingKafkaConsume,
  rabbitmqPublish,
  rabbitmqConsume,
  natsPublish,
  natsConsume,
];
