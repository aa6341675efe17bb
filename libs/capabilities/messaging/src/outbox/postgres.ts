import type { DataSource } from '@core-infra/database';
import type { DriverSite, Opened } from '@core-infra/kernel';
import type { MessagingHub } from '../bus/messaging-hub.js';
import { DatabaseOutbox } from './database.outbox.js';
import { OutboxTablesMissingError } from './errors.js';
import type { OutboxConfig } from './outbox.config.js';
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
    check: async () => {
      const { events, oldestMs } = await backlogOf(dataSource, config.maxBacklog + 1);
      const degraded = outbox.trouble ?? tooMuch(config, events, oldestMs);
      return {
        waiting: events > config.maxBacklog ? `more than ${config.maxBacklog}` : events,
        oldestMs,
        ...(config.relay && config.listen && { wokenByNotify: outbox.isListening }),
        ...(degraded !== undefined && { degraded }),
      };
    },
    drain: signal => outbox.stop(signal),
  };
}

class PostgresOutbox extends OutboxRelay {
  private relay?: Relay;
  private begun = false;
  private readonly sweep: Sweep;

  constructor(
    private readonly dataSource: DataSource,
    private readonly config: OutboxConfig,
    private readonly at: DriverSite,
  ) {
    super();
    const kept = { table: 'messaging_inbox', column: 'handled_at', retentionMs: config.inboxRetentionMs };
    this.sweep = new Sweep(dataSource, kept, error =>
      at.logger.warn(`What the inbox remembers could not be swept: ${(error as Error).message}`),
    );
  }

  attach(hub: MessagingHub): void {
    hub.stores.outbox = new DatabaseOutbox(this.dataSource, () => this.wake(), this.config.listen);
    hub.stores.inbox = new DatabaseInbox(this.dataSource);
    hub.stores.parking = new DatabaseParkingLot(this.dataSource, this.config.maxParked);
    hub.stores.deadLetters = new DatabaseDeadLetters(this.dataSource);
    if (!this.config.relay) return;
    this.relay = new Relay(this.dataSource, hub, this.config, this.at);
    if (this.begun) this.relay.start();
  }

  /** The tables are there. */
  begin(): void {
    if (this.begun) return;
    this.begun = true;
    this.relay?.start();
    this.sweep.start();
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
    await this.sweep.stop();
    if (this.begun) await this.relay?.stop(signal);
  }
}

const tables =
  'messaging_outbox, messaging_scheduled, messaging_outbox_buckets, messaging_inbox, messaging_dead_letters, messaging_parked';

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
