import type { NatsClient } from '@core-infra/nats';

type Manager = Awaited<ReturnType<NatsClient['jetstreamManager']>>;
type ConsumerSettings = Parameters<Manager['consumers']['add']>[1];

export interface Reading {
  readonly stream: string;
  /** Subjects, with wildcards. */
  readonly filter: string;
  /** The first number in the stream. @default 1 */
  readonly from?: number;
  /** Bodies are left where they are. @default false */
  readonly headersOnly?: boolean;
  /** How many are in memory at once. */
  readonly atOnce: number;
}

/** A message of a stream. */
export interface Entry {
  readonly subject: string;
  readonly sequence: number;
  /** There are none of a message that was published without. */
  readonly headers?: { get(name: string): string };
  readonly data: Uint8Array;
}

/** How long one request may take, in milliseconds. */
const EXPIRES_MS = 2_000;
/** How many requests may bring nothing though there is something. */
const MOST_EMPTY = 3;
/** After which the server forgets a consumer that nobody asks, in nanoseconds. */
const INACTIVE_NS = 30_000_000_000;

/**
 * What a stream has of some subjects when the reading begins, in its order.
 * @throws when not all of it could be read
 */
export async function* read(client: NatsClient, reading: Reading, signal: AbortSignal): AsyncGenerator<Entry> {
  const { stream, filter, from = 1, headersOnly = false, atOnce } = reading;
  const manager = await client.jetstreamManager();
  // Mostly there is nothing, which is quickly asked.
  if (!(await manager.streams.getMessage(stream, { seq: from, next_by_subj: filter } as never))) return;
  const info = await manager.consumers.add(stream, {
    ack_policy: 'none',
    deliver_policy: 'by_start_sequence',
    opt_start_seq: from,
    filter_subject: filter,
    headers_only: headersOnly,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: INACTIVE_NS,
  } as ConsumerSettings);
  try {
    const consumer = client.jetstream.consumers.getConsumerFromInfo(info);
    let empty = 0;
    for (let left = info.num_pending; left > 0;) {
      signal.throwIfAborted();
      const before = left;
      const batch = await consumer.fetch({ max_messages: Math.min(atOnce, left), expires: EXPIRES_MS });
      for await (const { subject, seq: sequence, headers, data, info: delivery } of batch) {
        // Some may have been removed meanwhile.
        left = Math.min(left - 1, delivery.pending);
        yield { subject, sequence, data, ...(headers && { headers }) };
      }
      if (left < before) continue;
      ({ num_pending: left } = await manager.consumers.info(stream, info.name));
      if (left > 0 && (empty += 1) === MOST_EMPTY)
        throw new Error(`${left} messages of the stream ${stream} could not be read`);
    }
  } finally {
    await manager.consumers.delete(stream, info.name).catch(() => false);
  }
}
