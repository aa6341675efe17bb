/** An event on a channel of a component: `kind` and further fields, of which none is a key or an id. */
export type EventFields = Readonly<Record<string, unknown>>;

/** What is counted of an event. */
export interface EventMetric {
  readonly name: string;
  readonly help: string;
  /** Fields that become labels, under the same names. */
  readonly labels: readonly string[];
  /** Events that count; all where it is left out. */
  readonly kinds?: readonly string[];
  /** A field with a list: the event counts only where there is something in it. */
  readonly unlessEmpty?: string;
  /** A field with how many it is, of an event that tells of several. @default each counts once */
  readonly count?: string;
  /** A field with a duration in milliseconds: a histogram instead of a counter. */
  readonly durationMs?: string;
}

/** The channels that components tell of events on, beside their operations, and what becomes of these. */
export const eventTable: Readonly<
  Record<string, { readonly channel: string; readonly metrics: readonly EventMetric[] }>
> = {
  messaging: {
    channel: 'infra:messaging:event',
    metrics: [
      {
        name: 'infra_messaging_handled_total',
        help: 'Messages whose handlers have succeeded.',
        kinds: ['handled'],
        labels: ['connection', 'group', 'topic'],
        count: 'messages',
      },
      {
        name: 'infra_messaging_handling_duration_seconds',
        help: 'How long handlers took that have succeeded, for a message or a batch.',
        kinds: ['handled'],
        labels: ['connection', 'group', 'topic'],
        durationMs: 'durationMs',
      },
      {
        name: 'infra_messaging_retried_total',
        help: 'Attempts that have failed and are followed by another.',
        kinds: ['retried'],
        labels: ['connection', 'group', 'topic', 'mode'],
      },
      {
        name: 'infra_messaging_parked_total',
        help: 'Messages that were put aside until their key goes on.',
        kinds: ['parked'],
        labels: ['connection', 'group', 'topic'],
        count: 'messages',
      },
      {
        name: 'infra_messaging_dead_total',
        help: 'Messages that have become dead letters.',
        kinds: ['dead'],
        labels: ['connection', 'group', 'topic', 'reason'],
      },
      {
        name: 'infra_messaging_repeated_total',
        help: 'Messages that came twice and were not handled again.',
        kinds: ['repeated'],
        labels: ['connection', 'group', 'topic'],
        count: 'messages',
      },
      {
        name: 'infra_messaging_paused_total',
        help: 'How often fetching was held up, or was held up by other reasons than before.',
        kinds: ['paused'],
        unlessEmpty: 'reasons',
        labels: ['connection', 'group'],
      },
    ],
  },
  cache: {
    channel: 'infra:cache:event',
    metrics: [
      {
        name: 'infra_cache_events_total',
        help: 'Hits, misses, loads, evictions and what else happened in a cache.',
        labels: ['connection', 'kind', 'tier'],
      },
    ],
  },
  'rate-limit': {
    channel: 'infra:rate-limit:decision',
    metrics: [
      {
        name: 'infra_rate_limit_decisions_total',
        help: 'What limiters have decided.',
        labels: ['connection', 'limit', 'allowed', 'by'],
      },
    ],
  },
  'feature-flags': {
    channel: 'infra:feature-flags:evaluation',
    metrics: [
      {
        name: 'infra_feature_flag_evaluations_total',
        help: 'What was answered for flags.',
        labels: ['connection', 'flag', 'variant', 'reason'],
      },
    ],
  },
  kafka: {
    channel: 'infra:kafka:event',
    metrics: [
      {
        // As dashboards ask for it that are older than the names with `infra_`.
        name: 'kafka_producer_messages_total',
        help: 'Messages that brokers have acknowledged.',
        kinds: ['produced'],
        labels: ['topic'],
        count: 'records',
      },
      {
        name: 'infra_kafka_producer_records_total',
        help: 'Records that were acknowledged (produced) or given up (failed).',
        kinds: ['produced', 'failed'],
        labels: ['connection', 'topic', 'kind'],
        count: 'records',
      },
      {
        name: 'infra_kafka_producer_bytes_total',
        help: 'Bytes of the records that were acknowledged or given up.',
        kinds: ['produced', 'failed'],
        labels: ['connection', 'topic', 'kind'],
        count: 'bytes',
      },
      {
        name: 'infra_kafka_consumer_records_total',
        help: 'Records that were read.',
        kinds: ['consumed'],
        labels: ['connection', 'group', 'topic'],
        count: 'records',
      },
      {
        name: 'infra_kafka_rebalances_total',
        help: 'How often a member of a group was given or lost partitions.',
        kinds: ['assigned', 'revoked', 'lost'],
        labels: ['connection', 'group', 'kind'],
      },
    ],
  },
};
