import { aborted } from '../aborted.js';
import { KafkaBufferFullError, KafkaClosedError, KafkaDeliveryTimeoutError, KafkaOversizeError } from '../errors.js';
import type { KafkaConfig } from '../config/kafka.config.js';
import { backoff } from '../config/retry.config.js';
import { kafkaEvents } from '../events.js';
import type { KafkaDelivery, KafkaProducer, KafkaRecord, KafkaSendOptions } from '../ports/producer.js';
import type { LaneSettings } from './lane.js';
import { type Outcomes, PendingRecord, sizeOf } from './pending-record.js';
import { RecordGroup } from './record-group.js';
import type { RecordSender } from './record-sender.js';
import { TopicRoute } from './topic-route.js';

/** How often records are looked through for those whose time is up, in milliseconds. */
const SWEEP_MS = 50;
/** How many topics are remembered for the health check. */
const TOPICS_REMEMBERED = 100;

/** Gathers records into batches, whatever the driver. */
export class BatchingProducer implements KafkaProducer {
  readonly #routes = new Map<string, TopicRoute>();
  readonly #pending = new Set<PendingRecord>();
  readonly #settings: LaneSettings;
  #bytes = 0;
  #accepted = 0;
  #sweeper: NodeJS.Timeout | undefined;
  #idle: (() => void)[] = [];
  #closed = false;
  #lastFailure: Error | undefined;

  constructor(
    private readonly id: string,
    private readonly config: KafkaConfig,
    private readonly sender: RecordSender,
  ) {
    this.#settings = {
      batchSize: config.batchSize,
      maxBatchBytes: config.maxMessageBytes,
      lingerMs: config.lingerMs,
      backoff: backoff(config.retry),
      onBatch: (topic, records, bytes, isDelivered) => {
        if (!kafkaEvents.hasSubscribers) return;
        kafkaEvents.publish({ kind: isDelivered ? 'produced' : 'failed', connection: id, topic, records, bytes });
      },
      onAttempt: failure => (this.#lastFailure = failure),
    };
  }

  get pending(): number {
    return this.#pending.size;
  }

  get bufferedBytes(): number {
    return this.#bytes;
  }

  /** Why the last attempt failed, if it did. */
  get lastFailure(): Error | undefined {
    return this.#lastFailure;
  }

  /** Topics that were written to, the first hundred. */
  get topics(): string[] {
    return [...this.#routes.keys()].slice(0, TOPICS_REMEMBERED);
  }

  send(record: KafkaRecord, options: KafkaSendOptions = {}): Promise<KafkaDelivery> {
    return new Promise((resolve, reject) => {
      const outcomes: Outcomes = {
        resolved: (_, delivery) => resolve(delivery),
        rejected: (_, error) => reject(error as Error),
      };
      const pending = this.#accept(record, options, outcomes, 0);
      if (pending && options.signal) pending.giveUpOn(options.signal);
    });
  }

  sendBatch(
    records: readonly KafkaRecord[],
    options: KafkaSendOptions = {},
  ): Promise<PromiseSettledResult<KafkaDelivery>[]> {
    if (records.length === 0) return Promise.resolve([]);
    const group = new RecordGroup(records, options);
    for (let index = 0; index < records.length; index += 1) {
      const broken = group.brokenBy(index);
      if (broken) group.rejected(index, broken.reason);
      else group.accepted(index, this.#accept(records[index]!, options, group, index));
    }
    return group.settled;
  }

  flush(signal?: AbortSignal): Promise<void> {
    this.#hurry();
    // What comes afterwards is not waited for.
    const last = this.#accepted;
    const flushed = new Promise<void>(resolve => {
      const look = (): void => {
        const [oldest] = this.#pending;
        if (!oldest || oldest.number > last) resolve();
        else this.#idle.push(look);
      };
      look();
    });
    return signal ? Promise.race([flushed, aborted(signal)]) : flushed;
  }

  /** Sends what there is; what has no outcome when the signal aborts is given up. */
  async close(signal: AbortSignal): Promise<void> {
    this.#closed = true;
    await this.flush(signal);
    for (const pending of this.#pending) pending.reject(new KafkaClosedError(this.id));
    clearInterval(this.#sweeper);
  }

  #accept(
    record: KafkaRecord,
    { signal, timeoutMs = this.config.deliveryTimeoutMs }: KafkaSendOptions,
    outcomes: Outcomes,
    index: number,
  ): PendingRecord | undefined {
    const bytes = sizeOf(record);
    const refusal = this.#refusal(record, bytes, signal);
    if (refusal !== undefined) {
      outcomes.rejected(index, refusal);
      return undefined;
    }
    const deadline = performance.now() + timeoutMs;
    const pending = new PendingRecord(
      record,
      (this.#accepted += 1),
      bytes,
      deadline,
      timeoutMs,
      outcomes,
      index,
      this.#settled,
    );
    this.#pending.add(pending);
    this.#bytes += bytes;
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
    this.#route(record.topic).add(pending);
    return pending;
  }

  #refusal(record: KafkaRecord, bytes: number, signal: AbortSignal | undefined): unknown {
    const { maxMessageBytes, maxBufferedBytes } = this.config;
    if (this.#closed) return new KafkaClosedError(this.id);
    if (signal?.aborted) return signal.reason;
    if (bytes > maxMessageBytes) return new KafkaOversizeError(record.topic, bytes, maxMessageBytes);
    if (this.#bytes + bytes > maxBufferedBytes) return new KafkaBufferFullError(record.topic, maxBufferedBytes);
    return undefined;
  }

  readonly #settled = (record: PendingRecord): void => {
    this.#pending.delete(record);
    this.#bytes -= record.bytes;
    if (this.#idle.length > 0) for (const look of this.#idle.splice(0)) look();
  };

  #route(topic: string): TopicRoute {
    let route = this.#routes.get(topic);
    if (!route)
      this.#routes.set(
        topic,
        (route = new TopicRoute(topic, this.sender, this.#settings, this.config.metadataMaxAgeMs)),
      );
    return route;
  }

  #hurry(): void {
    for (const route of this.#routes.values()) for (const lane of route.lanes) if (lane.length > 0) lane.hurry();
  }

  #sweep(): void {
    const now = performance.now();
    let found = false;
    for (const pending of this.#pending) {
      if (pending.deadline > now) continue;
      found = true;
      const { record, timeoutMs, sent } = pending;
      const cause = this.#lastFailure;
      pending.reject(new KafkaDeliveryTimeoutError(record.topic, timeoutMs, sent, cause?.message, { cause }));
    }
    if (found) for (const route of this.#routes.values()) route.sweep();
    if (this.#pending.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}
