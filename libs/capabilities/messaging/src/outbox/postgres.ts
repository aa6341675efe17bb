import { type DataSource, poolStats } from '@core-infra/database';
import type { DriverSite, Opened } from '@core-infra/kernel';
import type { MessagingHub } from '../bus/messaging-hub.js';
import { IdempotencyKeys } from './idempotency-key/idempotency-keys.js';
import { DatabaseOutbox } from './database.outbox.js';
import { OutboxTablesMissingError } from './errors.js';
import type { OutboxConfig } from './outbox.config.js';
import { outboxMetrics } from './outbox.metrics.js';
import { OutboxRelay } from './outbox.js';
import { backlogOf } from './relay/outbox-rows.js';
import { Relay } from './relay/relay.js';
import { DatabaseDeadLetters } from './stores/database.dead-letters.js';
import { DatabaseInbox } from './stores/database.inbox.js';
import { DatabaseParkingLot } from './stores/database.parking-lot.js';
import { Sweep } from './stores/sweep.js';

/** In the tables of a PostgreSQL database. */
export function postgres(config: OutboxConfig, at: DriverSite): Opened<OutboxRelay> {
  const dataSource = at.upstream<DataSource>();
  const outbox = new PostgresOutbox(dataSource, config, at);
  return {
    client: outbox,
    connect: async () => {
      await tablesOf(dataSource);
      outbox.begin();
    },
    check: async signal => {
      const { events, oldestMs } = await backlogOf(dataSource, config.maxBacklog + 1);
      const degraded = outbox.trouble ?? tooMuch(config, events, oldestMs);
      const parked = await new DatabaseParkingLot(dataSource, config.maxParked).size(undefined, signal);
      return {
        waiting: events > config.maxBacklog ? `more than ${config.maxBacklog}` : events,
        oldestMs,
        parked: parked.messages,
        parkedKeys: parked.keys,
        deadLetters: await new DatabaseDeadLetters(dataSource).count({}, signal),
        ...(config.relay && config.listen && { wokenByNotify: outbox.isListening }),
        ...(degraded !== undefined && { degraded }),
      };
    },
    metrics: () => outboxMetrics(dataSource, config),
    drain: signal => outbox.stop(signal),
    // After a boot that failed nothing is drained.
    close: signal => outbox.stop(signal),
  };
}

class PostgresOutbox extends OutboxRelay {
  private relay?: Relay;
  private begun = false;
  private attached = false;
  private ended = false;
  private unwatch?: () => void;
  readonly idempotency: IdempotencyKeys;
  private readonly sweeps: readonly Sweep[];

  constructor(
    private readonly dataSource: DataSource,
    private readonly config: OutboxConfig,
    private readonly at: DriverSite,
  ) {
    super();
    this.idempotency = new IdempotencyKeys(dataSource, config.idempotency);
    const { inboxRetentionMs, idempotency } = config;
    this.sweeps = [
      { table: 'messaging_inbox', column: 'handled_at', retentionMs: inboxRetentionMs },
      { table: 'messaging_idempotency_keys', column: 'created_at', retentionMs: idempotency.retentionMs },
    ].map(
      kept =>
        new Sweep(dataSource, kept, error =>
          at.logger.warn(`The table ${kept.table} could not be swept: ${(error as Error).message}`),
        ),
    );
  }

  attach(hub: MessagingHub): void {
    this.lend(hub);
    this.attached = true;
    // Handlers that would only wait for a connection had better not be given more.
    this.unwatch = hub.pressure.add('database pool', () => poolStats(this.dataSource).waiting > 0);
    if (this.config.relay) this.relay = new Relay(this.dataSource, hub, this.config, this.at);
    if (this.begun) this.start();
  }

  lend({ stores }: MessagingHub): void {
    stores.outbox = new DatabaseOutbox(this.dataSource, () => this.wake(), this.config.listen);
    stores.inbox = new DatabaseInbox(this.dataSource);
    stores.parking = new DatabaseParkingLot(this.dataSource, this.config.maxParked);
    stores.deadLetters = new DatabaseDeadLetters(this.dataSource);
  }

  /** The tables are there. */
  begin(): void {
    // An app may end while its tables are looked for.
    if (this.begun || this.ended) return;
    this.begun = true;
    if (this.attached) this.start();
  }

  wake(): void {
    this.relay?.wake();
  }

  get isListening(): boolean {
    return this.relay?.isListening ?? false;
  }

  get trouble(): string | undefined {
    return this.relay?.trouble;
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.ended = true;
    this.unwatch?.();
    await Promise.all(this.sweeps.map(sweep => sweep.stop()));
    if (this.begun) await this.relay?.stop(signal);
  }

  private start(): void {
    this.relay?.start();
    for (const sweep of this.sweeps) sweep.start();
  }
}

const tables =
  'messaging_outbox, messaging_scheduled, messaging_outbox_buckets, messaging_outbox_relays, messaging_inbox, messaging_dead_letters, messaging_parked, messaging_idempotency_keys';

async function tablesOf(dataSource: DataSource): Promise<void> {
  try {
    await dataSource.query(`SELECT 1 FROM ${tables} LIMIT 0`);
  } catch (error) {
    if ((error as { driverError?: { code?: string } }).driverError?.code === '42P01')
      throw new OutboxTablesMissingError({ cause: error });
    throw error;
  }
}

function tooMuch({ maxBacklog, maxAgeMs }: OutboxConfig, events: number, oldestMs: number): string | undefined {
  if (events > maxBacklog) return `More than ${maxBacklog} events wait to be relayed`;
  return oldestMs > maxAgeMs
    ? `An event has been waiting to be relayed for ${Math.round(oldestMs / 1_000)} s`
    : undefined;
}
