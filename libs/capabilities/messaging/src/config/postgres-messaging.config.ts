import { IsBoolean, IsInt, Matches, Max, Min } from 'class-validator';

/** The driver `postgres`: messages as jobs of pg-boss, in the database of the app. */
export class PostgresMessagingConfig {
  /** Schema of pg-boss in the database: lower-case letters, digits and underscores. All processes that exchange messages have the same. @default 'pgboss' */
  @Matches(/^[a-z_][a-z0-9_]{0,49}$/, { message: 'must consist of lower-case letters, digits and underscores' })
  schema: string = 'pgboss';

  /** Whether the driver makes its schema, and brings it up to date, when it connects; if not, it must be there. @default true */
  @IsBoolean()
  migrate: boolean = true;

  /** Whether consumers are woken by NOTIFY, on a connection beside the pool. Not through PgBouncer in transaction mode: there they poll. @default true */
  @IsBoolean()
  listen: boolean = true;

  /** How often a consumer looks by itself, in milliseconds; what NOTIFY missed is found by then. @default 1_000 */
  @IsInt()
  @Min(20)
  @Max(60_000)
  pollMs: number = 1_000;

  /**
   * After how long a process that gives no sign is taken for dead, and others take its messages, in milliseconds. It gives a sign four times in this time.
   * @default 8_000
   */
  @IsInt()
  @Min(400)
  @Max(600_000)
  leaseMs: number = 8_000;

  /** How many messages of a group may be parked; it fetches no more then. With an outbox, `outbox.maxParked` holds. @default 100_000 */
  @IsInt()
  @Min(1)
  maxParked: number = 100_000;

  /** How long a message waits for a group that does not fetch it, in milliseconds; then pg-boss deletes it. @default 31_536_000_000 */
  @IsInt()
  @Min(60_000)
  @Max(315_360_000_000)
  retentionMs: number = 365 * 24 * 3_600_000;
}
