import { ConfigSection } from '@core-infra/kernel';
import { IsInt, IsOptional, Min } from 'class-validator';

/** Budgets of the shutdown. */
@ConfigSection('shutdown')
export class ShutdownConfig {
  /**
   * How long the app goes on serving after SIGTERM with readiness at 503, so that load balancers notice, in milliseconds.
   * @default 0 in development and test, 5_000 elsewhere
   */
  @IsOptional()
  @IsInt()
  @Min(0)
  delayMs?: number;

  /** How long requests in flight may take once HTTP accepts no more, before their connections are cut, in milliseconds. @default 10_000 */
  @IsInt()
  @Min(0)
  requestTimeoutMs: number = 10_000;

  /** Deadline of the whole shutdown, in milliseconds; keep it below the 30 s that Kubernetes gives. @default 25_000 */
  @IsInt()
  @Min(1)
  timeoutMs: number = 25_000;

  static check({ delayMs, timeoutMs }: ShutdownConfig): { path: string; expected: string }[] {
    return delayMs !== undefined && delayMs >= timeoutMs
      ? [{ path: 'delayMs', expected: `less than shutdown.timeoutMs (${timeoutMs})` }]
      : [];
  }
}
