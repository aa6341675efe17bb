import type { NatsClient } from '@core-infra/nats';

type ConsumerSettings = Parameters<Awaited<ReturnType<NatsClient['jetstreamManager']>>['consumers']['add']>[1];

export interface Entry {
  readonly subject: string;
  readonly sequence: number;
  readonly headers: { get(name: string): string };
}

/** How many are asked for at a time, and how long one request may take, in milliseconds. */
const AT_ONCE = 1_000;
const EXPIRES_MS = 2_000;
/** After which the server forgets a consumer that nobody asks, in nanoseconds. */
const INACTIVE_NS = 30_000_000_000;

/**
 * All messages of a stream whose subjects begin so, without their bodies.
 * @throws when not all of them could be read
 */
export async function headersBehind(
  client: NatsClient,
  stream: string,
  subject: string,
  signal: AbortSignal,
): Promise<Entry[]> {
  const manager = await client.jetstreamManager();
  const filter = `${subject}.>`;
  // Nothing is parked, mostly.
  const first = await manager.streams.getMessage(stream, { seq: 1, next_by_subj: filter } as never);
  if (!first) return [];
  const settings = {
    ack_policy: 'none',
    deliver_policy: 'all',
    filter_subject: filter,
    headers_only: true,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: INACTIVE_NS,
  } as ConsumerSettings;
  const info = await manager.consumers.add(stream, settings);
  const entries: Entry[] = [];
  try {
    const consumer = client.jetstream.consumers.getConsumerFromInfo(info);
    while (entries.length < info.num_pending) {
      signal.throwIfAborted();
      const before = entries.length;
      const batch = await consumer.fetch({
        max_messages: Math.min(AT_ONCE, info.num_pending - before),
        expires: EXPIRES_MS,
      });
      for await (const { subject: found, seq: sequence, headers } of batch)
        entries.push({ subject: found, sequence, headers: headers! });
      if (entries.length === before)
        throw new Error(`only ${before} of ${info.num_pending} parked messages could be read`);
    }
    return entries;
  } finally {
    await manager.consumers.delete(stream, info.name).catch(() => false);
  }
}
