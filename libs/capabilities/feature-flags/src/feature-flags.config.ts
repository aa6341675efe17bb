import { ConfigSection, ConnectionConfig, Live, Nested } from '@core-infra/kernel';
import { IsBoolean, IsIn, IsInt, IsObject, IsString, Matches, Max, Min } from 'class-validator';
import { documentOf, settingProblems } from './evaluation/settings.js';
import { problemsOf } from './evaluation/validate.js';
import { describeFlagProblem } from './errors.js';
import type { FlagSetting } from './flag-document.js';
import { RedisFlagsConfig } from './stores/redis/redis-flags.config.js';

/** Flags in a file; read by the driver `file` alone. */
export class FileFlagsConfig {
  /** Whether the file must be there. If not, one that is not there (yet) counts as one without flags, and nothing is wrong. @default true */
  @IsBoolean()
  required: boolean = true;

  /** How often the file is looked at besides what the system announces of it, in milliseconds: network file systems announce nothing. @default 1_000 */
  @IsInt()
  @Min(10)
  @Max(60_000)
  pollMs: number = 1_000;

  /** How long a text that is not valid must stay as it is before it is reported, in milliseconds; a file that is just being written becomes valid meanwhile. @default 250 */
  @IsInt()
  @Min(0)
  @Max(10_000)
  settleMs: number = 250;
}

/** Feature flags. */
@ConfigSection('featureFlags')
export class FeatureFlagsConfig extends ConnectionConfig {
  /** Where flags live: in this process, in a file, or in Redis. Those of `flags` underlie them in any case. @default 'memory' */
  @IsIn(['memory', 'file', 'redis'])
  driver: 'memory' | 'file' | 'redis' = 'memory';

  /** Whether the boot fails without the file or Redis; if not, the last good flags are in force, or those of `flags`. @default 'background' */
  @IsIn(['require', 'background'])
  override startup: 'require' | 'background' = 'background';

  /** Whether readiness falls when the flags cannot be read; if not, the app counts as degraded. @default false */
  @IsBoolean()
  override critical: boolean = false;

  /**
   * Flags that are in force where the store has none of that name: `true`, `"a"`, `{ rollout: 20, users: ["ann"] }`, or flagd's own definition.
   * @default none
   */
  @Live()
  @IsObject()
  flags: Record<string, FlagSetting> = {};

  /** The file of flags, in flagd's format: JSON, or YAML where it ends in `.yaml` or `.yml`; for the driver `file`. @default 'config/flags.json' */
  @IsString()
  @Matches(/^[^\0]+$/, { message: 'must be a path' })
  path: string = 'config/flags.json';

  /** The driver `file`. */
  @Nested(() => FileFlagsConfig)
  file: FileFlagsConfig = new FileFlagsConfig();

  /** The driver `redis`. */
  @Nested(() => RedisFlagsConfig)
  redis: RedisFlagsConfig = new RedisFlagsConfig();

  /** Whether the OpenFeature SDK of this process asks these flags. @default false */
  @IsBoolean()
  openFeature: boolean = false;

  /** OpenFeature domain to be registered for; empty for its default provider. Two apps in one process need two. @default empty */
  @IsString()
  openFeatureDomain: string = '';

  static *check({ flags }: FeatureFlagsConfig): Iterable<{ path: string; expected: string }> {
    if (typeof flags !== 'object' || flags === null) return;
    const short = [...settingProblems(flags)];
    yield* short;
    if (short.length > 0) return;
    for (const problem of problemsOf(documentOf(flags)))
      yield { path: 'flags', expected: `flags that are valid: ${describeFlagProblem(problem)}` };
  }
}
