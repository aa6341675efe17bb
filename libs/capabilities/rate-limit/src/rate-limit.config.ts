import { ConfigSection, ConnectionConfig, Env, Live, Nested } from '@core-infra/kernel';
import { IsBoolean, IsIn, IsInt, IsString, Matches, Max, Min } from 'class-validator';
import { AccessConfig } from './client/access.config.js';
import { ClientConfig } from './client/client.config.js';
import { surfaceProblems } from './enforcement/surface.problems.js';
import type { FailurePolicy } from './rate-limiter.js';

/** The limit of every HTTP handler that states none of its own: all of a caller's requests to them count together. */
export class DefaultLimitConfig {
  /** How many requests pass at once; then one every `windowMs / limit`. @default 100 */
  @IsInt()
  @Min(1)
  @Max(50_000_000)
  @Live()
  @Env('RATE_LIMIT_REQUESTS')
  limit: number = 100;

  /** In milliseconds; a bare number in `RATE_LIMIT_WINDOW` is seconds. @default 60_000 */
  @IsInt()
  @Min(1)
  @Max(86_400_000)
  @Live()
  @Env('RATE_LIMIT_WINDOW', { unit: 's' })
  windowMs: number = 60_000;

  /** Whether there is such a limit. @default true */
  @IsBoolean()
  @Live()
  enabled: boolean = true;

  /** Who is limited; a caller whose user or API key is not known is limited by address. @default 'ip' */
  @IsIn(['ip', 'user', 'api-key'])
  @Live()
  by: 'ip' | 'user' | 'api-key' = 'ip';
}

/** Rate limits. */
@ConfigSection('rateLimit')
export class RateLimitConfig extends ConnectionConfig {
  /** Where is counted: in each process (`memory`), or in Redis for all of them. @default 'memory' */
  @IsIn(['memory', 'redis'])
  driver: 'memory' | 'redis' = 'memory';

  /** Whether the boot waits for Redis (`require`) or goes on without it (`background`). @default 'background' */
  @IsIn(['require', 'background'])
  override startup: 'require' | 'background' = 'background';

  /** Whether readiness falls while Redis is away; if not, the app counts as degraded. @default false */
  @IsBoolean()
  override critical: boolean = false;

  @Nested(() => DefaultLimitConfig)
  default: DefaultLimitConfig = new DefaultLimitConfig();

  /** How callers are told apart. */
  @Nested(() => ClientConfig)
  client: ClientConfig = new ClientConfig();

  /** Callers whom no limit concerns, and callers who are refused. */
  @Nested(() => AccessConfig)
  access: AccessConfig = new AccessConfig();

  /**
   * While Redis is away: `local` limits each process by itself (so N processes let pass up to N times the limit), `open` lets
   * everything pass, `closed` nothing. A limit's own policy wins. @default 'local'
   */
  @IsIn(['local', 'open', 'closed'])
  @Live()
  onFailure: FailurePolicy = 'local';

  /** How many callers a process keeps, at about 225 bytes each; the ones not seen for longest go first, offenders last. @default 100_000 */
  @IsInt()
  @Min(100)
  @Max(10_000_000)
  maxCallers: number = 100_000;

  /** How long a decision may wait for Redis, in milliseconds, before the failure policy makes it. @default 50 */
  @IsInt()
  @Min(1)
  @Max(10_000)
  timeoutMs: number = 50;

  /** How long a refusal by Redis is repeated without asking again, at most, in milliseconds; 0 for not at all. @default 5_000 */
  @IsInt()
  @Min(0)
  @Max(3_600_000)
  @Live()
  rememberMs: number = 5_000;

  /** What keys in Redis begin with. @default 'rate-limit' */
  @IsString()
  @Matches(/^[\w.:-]{1,64}$/)
  keyPrefix: string = 'rate-limit';

  static check(config: RateLimitConfig): Iterable<{ path: string; expected: string }> {
    return surfaceProblems(config);
  }
}
