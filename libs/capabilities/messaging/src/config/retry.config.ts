import { IsIn, IsInt, IsNumber, Max, Min } from 'class-validator';

/** What is done about a message whose handler has failed. */
export type RetryMode =
  /** It waits with all later messages of its key, in order, while other keys go on. */
  | 'ordered'
  /** It waits alone; later messages of its key may overtake it. */
  | 'fast';

/** When a failed message is tried again, and when it is given up; a handler's own options win. */
export class RetryConfig {
  /** How often a message is tried in all, before it is a dead letter; attempts that failed since a server was away do not count. @default 10 */
  @IsInt()
  @Min(1)
  @Max(10_000)
  attempts: number = 10;

  /** How long after its first attempt a message may still be tried, in milliseconds. @default 86_400_000 */
  @IsInt()
  @Min(0)
  maxAgeMs: number = 86_400_000;

  /** The longest pause before the second attempt, in milliseconds; a pause is drawn evenly from 0 to it ("full jitter"). @default 500 */
  @IsInt()
  @Min(1)
  firstDelayMs: number = 500;

  /** What the longest pause is multiplied by with each attempt. @default 2 */
  @IsNumber()
  @Min(1)
  @Max(10)
  factor: number = 2;

  /** The longest pause of all, in milliseconds. @default 60_000 */
  @IsInt()
  @Min(1)
  @Max(86_400_000)
  maxDelayMs: number = 60_000;

  /**
   * Pauses up to this long are spent with the messages in hand, unsettled; for longer ones, and where many of its messages come meanwhile, a key is
   * parked, where there is a parking lot. In milliseconds. @default 1_000
   */
  @IsInt()
  @Min(0)
  @Max(2_147_483_647)
  parkAfterMs: number = 1_000;

  /** `auto` is `ordered` for a message with a key, else `fast`. @default 'auto' */
  @IsIn(['auto', 'ordered', 'fast'])
  mode: RetryMode | 'auto' = 'auto';
}
