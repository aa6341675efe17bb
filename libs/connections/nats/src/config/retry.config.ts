import { IsInt, Max, Min, IsNumber } from 'class-validator';

/** Pauses between attempts to connect again: doubling from the first to the longest. */
export class NatsRetryConfig {
  /** Pause before the first new attempt, in milliseconds. @default 100 */
  @IsInt()
  @Min(1)
  @Max(60_000)
  firstDelayMs: number = 100;

  /** Longest pause, in milliseconds. @default 5_000 */
  @IsInt()
  @Min(1)
  @Max(300_000)
  maxDelayMs: number = 5_000;

  /** Which part of each pause is left to chance, so that instances do not knock in step; from 0 to 1. @default 0.5 */
  @IsNumber()
  @Min(0)
  @Max(1)
  jitterRatio: number = 0.5;
}

/** The pause before an attempt, counted from 1, in milliseconds. */
export function backoff({ firstDelayMs, maxDelayMs, jitterRatio }: NatsRetryConfig): (attempt: number) => number {
  return attempt => {
    const full = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(Math.max(attempt, 1) - 1, 20));
    return Math.max(1, Math.round(full * (1 - jitterRatio * Math.random())));
  };
}
