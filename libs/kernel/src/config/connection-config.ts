import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Min } from 'class-validator';

/** Fields that every connection's configuration has. All durations are in milliseconds. */
export abstract class ConnectionConfig {
  /** Which driver opens the connection; each concern narrows this to its own. */
  @IsString() abstract driver: string;
  /**
   * Whether the boot waits for the server and fails without it (`require`), or goes on and keeps trying (`background`).
   * @default 'require'
   */
  @IsIn(['require', 'background']) startup: 'require' | 'background' = 'require';
  /** Whether readiness falls when the check fails; if not, the app counts as degraded. @default true */
  @IsBoolean() critical: boolean = true;
  /** How long a boot waits for the server, in milliseconds. @default 10_000 */
  @IsInt() @Min(1) connectTimeoutMs: number = 10_000;
  /** Budget of one health check, in milliseconds. @default 1_000 */
  @IsInt() @Min(1) checkTimeoutMs: number = 1_000;
  /** Budget of the drain, and again of the close, in milliseconds. @default 10_000 */
  @IsInt() @Min(1) shutdownTimeoutMs: number = 10_000;
  /** Name in `/health`. @default the concern's own, with the connection's name behind it */
  @IsOptional() @IsString() @Matches(/^[\w.-]{1,64}$/) healthName?: string;
}
