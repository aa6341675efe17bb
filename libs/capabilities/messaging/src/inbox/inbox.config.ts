import { ConfigSection, ConnectionConfig } from '@core-infra/kernel';
import { IsBoolean, IsIn, IsInt, Matches, Max, Min } from 'class-validator';

/** What groups have handled, remembered without a database. */
@ConfigSection('inbox')
export class InboxConfig extends ConnectionConfig {
  /** What remembers: the Redis connection. @default 'redis' */
  @IsIn(['redis'])
  driver: 'redis' = 'redis';

  /** Whether the boot waits for it (`require`) or goes on (`background`). @default 'background' */
  @IsIn(['require', 'background'])
  override startup: 'require' | 'background' = 'background';

  /** Whether readiness falls with it; if not, the app counts as degraded. @default false */
  @IsBoolean()
  override critical: boolean = false;

  /** What its keys begin with. @default 'inbox:' */
  @Matches(/^[\x21-\x7a]{0,100}$/, { message: 'must consist of visible characters without braces' })
  prefix: string = 'inbox:';

  /** How long it is remembered that an event was handled, in milliseconds. @default 604_800_000 */
  @IsInt()
  @Min(1_000)
  retentionMs: number = 7 * 86_400_000;

  /**
   * How long a handler may be at work, in milliseconds: after the death of a process its events wait so long, and those of a handler that takes
   * longer may be handled twice. More than `messaging.consumers.timeoutMs`. @default 60_000
   */
  @IsInt()
  @Min(100)
  @Max(86_400_000)
  leaseMs: number = 60_000;
}
