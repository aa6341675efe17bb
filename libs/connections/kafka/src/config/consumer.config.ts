import { IsInt, Max, Min } from 'class-validator';

/** Members of consumer groups. */
export class KafkaConsumerConfig {
  /** How long a member that is silent stays in its group, in milliseconds. @default 30_000 */
  @IsInt()
  @Min(1_000)
  @Max(1_800_000)
  sessionTimeoutMs: number = 30_000;

  /** How often a member gives a sign of life, in milliseconds; it is also how soon it hears of a rebalance. @default 1_000 */
  @IsInt()
  @Min(100)
  heartbeatIntervalMs: number = 1_000;

  /** How long members may take to end their work before their partitions are given to others, in milliseconds. @default 60_000 */
  @IsInt()
  @Min(1_000)
  rebalanceTimeoutMs: number = 60_000;

  /** How long the broker holds back an answer while there is nothing to read, in milliseconds; resuming a partition may take as long. @default 250 */
  @IsInt()
  @Min(10)
  @Max(10_000)
  fetchMaxWaitMs: number = 250;

  /** Most that is read of one partition at once, in bytes; a larger message is still read. @default 1_048_576 */
  @IsInt()
  @Min(1_024)
  fetchMaxBytesPerPartition: number = 1_048_576;

  /** Most that is read from one broker at once, in bytes. @default 10_485_760 */
  @IsInt()
  @Min(1_024)
  fetchMaxBytes: number = 10_485_760;
}
