import { IsInt, IsNumber, Max, Min } from 'class-validator';

/** Pauses between attempts: doubling from the first to the longest. */
export class KafkaRetryConfig {
  /** Pause before the first new attempt, in milliseconds. @default 50 */
  @IsInt()
  @Min(1)
  @Max(60_000)
  firstDelayMs: number = 50;

  /** Longest pause, in milliseconds. @default 2_000 */
  @IsInt()
  @Min(1)
  @Max(300_000)
  maxDelayMs: number = 2_000;

  /** Which part of each pause is left to chance; from 0 to 1. @default 0.5 */
  @IsNumber()
  @Min(0)
  @Max(1)
  jitterRatio: number = 0.5;
}

/** The pause before an attempt, counted from 1, in milliseconds. */
export function backoff({ firstDelayMs, maxDelayMs, jitterRatio }: KafkaRetryConfig): (attempt: number) => number {
  return attempt => {
    const full = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(Math.max(attempt, 1) - 1, 20));
    return Math.max(1, Math.round(full * (1 - jitterRatio * Math.random())));
  };
}
