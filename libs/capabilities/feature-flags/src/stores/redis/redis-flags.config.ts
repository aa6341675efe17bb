import { IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';

/** Flags in Redis; read by the driver `redis` alone. */
export class RedisFlagsConfig {
  /** Key that the flags are stored under, shared by all services that share flags. @default 'core-infra:flags' */
  @IsString()
  @MaxLength(200)
  @Matches(/^[^{}\s]+$/, { message: 'key must have no blanks and no braces' })
  key: string = 'core-infra:flags';
  /** How often a process looks whether a change was not announced to it, in milliseconds. @default 1_000 */
  @IsInt() @Min(50) @Max(60_000) pollMs: number = 1_000;
  /** How many changes the history keeps. @default 1_000 */
  @IsInt() @Min(1) @Max(100_000) historyLimit: number = 1_000;
  /** How long a boot waits for Redis before it takes the flags of the snapshot file, or the defaults, in milliseconds. @default 1_000 */
  @IsInt() @Min(0) @Max(60_000) bootWaitMs: number = 1_000;
  /**
   * File that the last good flags are kept in, for a start while Redis is away; empty keeps none. Left out, it is one for this app, server and
   * key in a folder of this user under the system's folder for temporary files.
   */
  @IsOptional() @IsString() snapshotFile?: string;
}
