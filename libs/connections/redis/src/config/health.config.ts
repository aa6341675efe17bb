import { IsInt, IsNumber, Max, Min } from 'class-validator';

/** From when on a server that answers counts as degraded. */
export class RedisHealthConfig {
  /** Part of `maxmemory` in use, from 0 to 1, where the server would then refuse writes, or lose what is kept here alone. @default 0.9 */
  @IsNumber()
  @Min(0.01)
  @Max(1)
  memoryRatio: number = 0.9;

  /** How far a replica may be behind, in milliseconds; Redis itself counts in seconds. @default 10_000 */
  @IsInt()
  @Min(1_000)
  replicationLagMs: number = 10_000;
}
