import { ConfigSection, ConnectionConfig, Secret } from '@core-infra/kernel';
import { IsBoolean, IsIn, IsInt, IsString, Max, Min } from 'class-validator';

/** A Redis server. */
@ConfigSection('redis')
export class RedisConfig extends ConnectionConfig {
  /** How the server is reached. @default 'standalone' */
  @IsIn(['standalone'])
  driver: 'standalone' = 'standalone';

  /** Server address, `redis://user:password@host:6379/0`. @default 'redis://localhost:6379' */
  @IsString()
  @Secret()
  url: string = 'redis://localhost:6379';

  /** @default 'background' */
  @IsIn(['require', 'background'])
  override startup: 'require' | 'background' = 'background';

  /** @default false */
  @IsBoolean()
  override critical: boolean = false;

  /** How long one command may take, in milliseconds, before it rejects. @default 3_000 */
  @IsInt()
  @Min(1)
  @Max(60_000)
  commandTimeoutMs: number = 3_000;
}
