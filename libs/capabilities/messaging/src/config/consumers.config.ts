import { Live } from '@core-infra/kernel';
import { IsInt, IsNumber, IsOptional, Max, Min } from 'class-validator';

/** How handlers are fed; a handler's own options win. */
export class ConsumersConfig {
  /**
   * How many messages each handler has at once in a process, as long as none of them hangs (see `overflow`); those of one key never are. With an inbox
   * each holds a connection of the database. @default 8
   */
  @IsInt()
  @Min(1)
  @Max(10_000)
  concurrency: number = 8;

  /**
   * How many more of a handler may be begun while others hang, for keys that have not failed, so that poisoned keys do not hold up the rest: one for
   * each attempt that takes four times as long as nine of ten do, and 25 ms at least. With an inbox in a database they never take the last connection
   * of its pool. 0 keeps `concurrency` as it is. A handler whose concurrency is 1 has none unless it says so itself. @default as many as `concurrency`
   */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(10_000)
  overflow?: number;

  /** How long one attempt of a handler may take, in milliseconds; its signal aborts then, and the attempt has failed. @default 30_000 */
  @IsInt()
  @Min(1)
  @Max(2_147_483_647)
  timeoutMs: number = 30_000;

  /** Messages of a group that a process may hold without their being settled; no more are fetched until some are. @default 1_000 */
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  maxInFlight: number = 1_000;

  /** The same in bytes. @default 67_108_864 */
  @IsInt()
  @Min(1)
  maxBytesInFlight: number = 64 * 1024 * 1024;

  /**
   * The largest message that is read, headers included, in bytes; a larger one is a dead letter (`undecodable`), as reading it would hold up all
   * others. @default 8_388_608, or `messaging.maxMessageBytes` where that is more
   */
  @IsOptional()
  @IsInt()
  @Min(1_000)
  maxMessageBytes?: number;

  /** How long work on a partition may go on once another process is to have it, in milliseconds; then it is aborted. @default 20_000 */
  @IsInt()
  @Min(0)
  @Max(2_147_483_647)
  revokeTimeoutMs: number = 20_000;

  /** The app counts as degraded while more messages than so many wait for one of its groups; 0 is never. @default 100_000 */
  @IsInt()
  @Min(0)
  @Live()
  maxBacklog: number = 100_000;

  /** The same when the oldest of them is older, in milliseconds, where the broker tells; 0 is never. @default 300_000 */
  @IsInt()
  @Min(0)
  @Live()
  maxBacklogAgeMs: number = 300_000;

  /** Nothing is fetched while the heap is fuller than this part of its limit; 1 is never. @default 0.85 */
  @IsNumber()
  @Min(0.1)
  @Max(1)
  @Live()
  maxHeapUsed: number = 0.85;

  /** Nothing is fetched while the event loop is late by more than so many milliseconds; 0 is never. @default 500 */
  @IsInt()
  @Min(0)
  @Live()
  maxLoopDelayMs: number = 500;
}
