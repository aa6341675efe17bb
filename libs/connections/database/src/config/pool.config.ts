import { Alias, Env, EnvSum } from '@core-infra/kernel';
import { IsInt, Max, Min } from 'class-validator';

/** Size and patience of the pool of connections. */
export class PoolConfig {
  /** Most connections at a time. @default 10 */
  @IsInt()
  @Min(1)
  @Max(10_000)
  @Env('POSTGRES_MAX_OPEN_CONNS')
  @EnvSum('DATABASE_POOL_SIZE', 'DATABASE_MAX_OVERFLOW')
  @Alias('max_open_conns')
  max: number = 10;

  /** Connections that are opened at the start and stay open when idle; more than `max` counts as `max`. @default 0 */
  @IsInt()
  @Min(0)
  @Env('POSTGRES_MAX_IDLE_CONNS')
  @Alias('max_idle_conns')
  min: number = 0;

  /** How old a connection may grow before it is replaced, in milliseconds; 0 for no limit. @default 1_800_000 */
  @IsInt()
  @Min(0)
  @Env('POSTGRES_CONN_MAX_LIFETIME', { unit: 'm' })
  @Alias('conn_max_lifetime', { unit: 'm' })
  maxLifetimeMs: number = 1_800_000;

  /** How long a connection may lie idle before it is closed, in milliseconds; 0 for no limit. @default 60_000 */
  @IsInt()
  @Min(0)
  @Env('POSTGRES_CONN_MAX_IDLE_TIME', { unit: 'm' })
  @Alias('conn_max_idle_time', { unit: 'm' })
  idleTimeoutMs: number = 60_000;

  /** How long a call waits for a connection, the opening of a new one included, in milliseconds. @default 5_000 */
  @IsInt()
  @Min(1)
  acquireTimeoutMs: number = 5_000;
}
