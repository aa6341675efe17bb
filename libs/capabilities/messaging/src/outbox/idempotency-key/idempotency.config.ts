import { IsInt, Max, Min } from 'class-validator';

/** Answers that are kept for requests with an idempotency key. */
export class IdempotencyConfig {
  /** How long an answer is kept, in milliseconds; the same key is a new request after it. @default 86_400_000 */
  @IsInt()
  @Min(1_000)
  retentionMs: number = 86_400_000;

  /**
   * How long a request may take, in milliseconds: if its process dies, the same key is refused (409) until then, and tried again after.
   * @default 60_000
   */
  @IsInt()
  @Min(100)
  @Max(3_600_000)
  leaseMs: number = 60_000;

  /** The largest body of an answer that is kept, in bytes; after a larger one the same key is refused (409). @default 1_048_576 */
  @IsInt()
  @Min(0)
  @Max(104_857_600)
  maxAnswerBytes: number = 1_048_576;
}
