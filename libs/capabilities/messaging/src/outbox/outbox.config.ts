import { ConfigSection, ConnectionConfig, Nested } from '@core-infra/kernel';
import { IsBoolean, IsIn, IsInt, Max, Min } from 'class-validator';
import { IdempotencyConfig } from './idempotency-key/idempotency.config.js';

/** Events that are written in the transaction they belong to, and relayed to the broker after its commit. */
@ConfigSection('outbox')
export class OutboxConfig extends ConnectionConfig {
  /** What keeps them: the database. @default 'postgres' */
  @IsIn(['postgres'])
  driver: 'postgres' = 'postgres';

  /** Whether the boot fails without its tables (`require`), or goes on and looks for them again (`background`). @default 'background' */
  @IsIn(['require', 'background'])
  override startup: 'require' | 'background' = 'background';

  /** Whether readiness falls with it; if not, the app counts as degraded. @default false */
  @IsBoolean()
  override critical: boolean = false;

  /** Whether this process relays; any number may, and share the work. @default true */
  @IsBoolean()
  relay: boolean = true;

  /** Whether the relay is woken by NOTIFY. Not through PgBouncer in transaction mode: there it polls every `pollMs`. @default true */
  @IsBoolean()
  listen: boolean = true;

  /**
   * How often the relay looks by itself, in milliseconds: all there is without `listen`, with it a fallback at ten times the interval.
   * @default 1_000
   */
  @IsInt()
  @Min(10)
  @Max(3_600_000)
  pollMs: number = 1_000;

  /** How many events are published at once, unless `batchBytes` are reached before. @default 1_000 */
  @IsInt()
  @Min(1)
  @Max(50_000)
  batchSize: number = 1_000;

  /** How many bytes of events are in memory to be published at once; one event always is. @default 8_388_608 */
  @IsInt()
  @Min(1)
  @Max(1_073_741_824)
  batchBytes: number = 8 * 1024 * 1024;

  /** How long a relay may take with a batch, in milliseconds; then the server takes it for dead, and another takes over. @default 15_000 */
  @IsInt()
  @Min(100)
  @Max(3_600_000)
  leaseMs: number = 15_000;

  /**
   * How often an event is offered to a broker that refuses it for what it is, before it becomes a dead letter; twenty times as often where that is no
   * fault of its own, e.g. a missing topic or right: some minutes.
   * @default 5
   */
  @IsInt()
  @Min(1)
  @Max(1_000)
  attempts: number = 5;

  /** Degraded when the oldest event waits for longer, in milliseconds. @default 60_000 */
  @IsInt()
  @Min(1)
  maxAgeMs: number = 60_000;

  /** Degraded when more events wait. @default 10_000 */
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  maxBacklog: number = 10_000;

  /**
   * How long it is remembered which events a group has handled, in milliseconds: one that comes again later has its effects again. Longer than the
   * broker keeps messages, and than anybody waits before dead letters are replayed. @default 604_800_000
   */
  @IsInt()
  @Min(1_000)
  inboxRetentionMs: number = 7 * 86_400_000;

  /** How many messages of a group may be parked; it fetches no more then. @default 100_000 */
  @IsInt()
  @Min(100)
  @Max(10_000_000)
  maxParked: number = 100_000;

  @Nested(() => IdempotencyConfig)
  idempotency: IdempotencyConfig = new IdempotencyConfig();
}
