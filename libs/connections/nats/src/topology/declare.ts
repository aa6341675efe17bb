import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { NatsTopologyError } from '../errors.js';
import { CONSUMER_NOT_FOUND, diagnoseMissing, diagnoseReply, STREAM_NOT_FOUND } from '../link/diagnose.js';
import { differences } from './differences.js';
import type { ConsumerDeclaration, NatsTopology, StreamDeclaration, TopologyOptions } from './topology.js';

/** Makes what is not there; what is there is compared, and changed only if that is wanted. */
export async function declare(
  manager: JetStreamManager,
  { streams = [], consumers = [] }: NatsTopology,
  { onDifference = 'error' }: TopologyOptions,
): Promise<void> {
  for (const stream of streams) await declareStream(manager, stream, onDifference);
  for (const consumer of consumers) await declareConsumer(manager, consumer, onDifference);
}

async function declareStream(
  manager: JetStreamManager,
  declared: StreamDeclaration,
  onDifference: string,
): Promise<void> {
  const config = streamConfig(declared);
  const { name } = config;
  const existing = await manager.streams.info(name).catch(unless(STREAM_NOT_FOUND, name));
  if (!existing)
    return void (await manager.streams.add(config).catch((error: unknown) => {
      throw diagnoseReply(error, `to make the stream ${name}`);
    }));
  const found = differences(config, existing.config);
  if (found.length === 0) return;
  if (onDifference === 'error') throw new NatsTopologyError('stream', name, found);
  await manager.streams.update(name, config).catch((error: unknown) => {
    throw new NatsTopologyError('stream', name, [...found, `it cannot be changed: ${(error as Error).message}`], {
      cause: error,
    });
  });
}

async function declareConsumer(
  manager: JetStreamManager,
  declared: ConsumerDeclaration,
  onDifference: string,
): Promise<void> {
  const { stream, name } = declared;
  const config = consumerConfig(declared);
  const existing = await manager.consumers.info(stream, name).catch(unless(CONSUMER_NOT_FOUND, stream, name));
  if (!existing)
    return void (await manager.consumers.add(stream, config).catch((error: unknown) => {
      throw diagnoseReply(error, `to make the consumer ${stream}/${name}`);
    }));
  const found = differences(config, existing.config);
  if (found.length === 0) return;
  if (onDifference === 'error') throw new NatsTopologyError('consumer', `${stream}/${name}`, found);
  await manager.consumers.update(stream, name, config).catch((error: unknown) => {
    const reason = `it cannot be changed: ${(error as Error).message}`;
    throw new NatsTopologyError('consumer', `${stream}/${name}`, [...found, reason], { cause: error });
  });
}

/** Nothing where that is what JetStream says; any other error as it is. */
function unless(code: number, stream: string, consumer?: string): (error: unknown) => undefined {
  return error => {
    if (error instanceof JetStreamApiError && error.code === code) return undefined;
    throw diagnoseMissing(error, stream, consumer);
  };
}

function streamConfig(declared: StreamDeclaration): Partial<StreamConfig> & { name: string } {
  const { name, subjects, maxAgeMs, maxBytes, maxMessages, maxMessageBytes, duplicateWindowMs, replicas, more } =
    declared;
  const { retention = 'limits', storage = 'file', discard, schedules } = declared;
  return {
    name,
    subjects: [...subjects],
    retention: {
      limits: RetentionPolicy.Limits,
      workqueue: RetentionPolicy.Workqueue,
      interest: RetentionPolicy.Interest,
    }[retention],
    storage: storage === 'file' ? StorageType.File : StorageType.Memory,
    ...(maxAgeMs !== undefined && { max_age: nanos(maxAgeMs) }),
    ...(maxBytes !== undefined && { max_bytes: maxBytes }),
    ...(maxMessages !== undefined && { max_msgs: maxMessages }),
    ...(maxMessageBytes !== undefined && { max_msg_size: maxMessageBytes }),
    ...(duplicateWindowMs !== undefined && { duplicate_window: nanos(duplicateWindowMs) }),
    ...(discard && { discard: discard === 'old' ? DiscardPolicy.Old : DiscardPolicy.New }),
    ...(replicas !== undefined && { num_replicas: replicas }),
    ...(schedules && { allow_msg_schedules: true }),
    ...more,
  };
}

function consumerConfig(declared: ConsumerDeclaration): Partial<ConsumerConfig> {
  const { name, filterSubjects, deliver = 'all', ackWaitMs, maxDeliver, backoffMs, maxAckPending, more } = declared;
  const [only, ...others] = filterSubjects ?? [];
  return {
    durable_name: name,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: { all: DeliverPolicy.All, new: DeliverPolicy.New, last: DeliverPolicy.Last }[deliver],
    ...(only !== undefined &&
      (others.length === 0 ? { filter_subject: only } : { filter_subjects: [only, ...others] })),
    // The server takes the first pause for it where there are any.
    ...(ackWaitMs !== undefined && !backoffMs && { ack_wait: nanos(ackWaitMs) }),
    ...(maxDeliver !== undefined && { max_deliver: maxDeliver }),
    ...(backoffMs && { backoff: backoffMs.map(nanos) }),
    ...(maxAckPending !== undefined && { max_ack_pending: maxAckPending }),
    ...more,
  };
}
