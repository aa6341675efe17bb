import { ConfigSection, ConnectionConfig, Nested } from '@core-infra/kernel';
import { IsBoolean, IsIn, IsInt, Matches, Max, Min } from 'class-validator';
import { CodecConfig } from '../codec/codec.config.js';

/** Where sessions are kept, and for how long. */
@ConfigSection('sessions')
export class SessionsConfig extends ConnectionConfig {
  /** `cache`: in a `Cache` that is in this process's memory, gone at a restart. `redis`: in Redis, for all processes. @default 'cache' */
  @IsIn(['cache', 'redis'])
  driver: 'cache' | 'redis' = 'cache';

  /** @default 'background' */
  @IsIn(['require', 'background'])
  override startup: 'require' | 'background' = 'background';

  /** @default false */
  @IsBoolean()
  override critical: boolean = false;

  /** How long a session lasts after it was last used, in milliseconds. @default 1_800_000 */
  @IsInt()
  @Min(1)
  ttlMs: number = 1_800_000;

  /** Whether reading counts as use; when not, a session ends `ttlMs` after it was last written. @default true */
  @IsBoolean()
  rolling: boolean = true;

  /** How long a session lasts at most, however much it is used, in milliseconds; 0 for no end. @default 43_200_000 */
  @IsInt()
  @Min(0)
  absoluteTtlMs: number = 43_200_000;

  /** What every key begins with in Redis, or the namespace in the cache. @default 'sessions' */
  @Matches(/^[\w.-]{1,64}$/)
  keyPrefix: string = 'sessions';

  /** How long Redis may take for one command, in milliseconds, before it counts as away. @default 1_000 */
  @IsInt()
  @Min(1)
  @Max(60_000)
  commandTimeoutMs: number = 1_000;

  /** How the data are written, and whether they are encrypted. */
  @Nested(() => CodecConfig)
  codec: CodecConfig = new CodecConfig();
}
