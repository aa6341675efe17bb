import { Alias, ConfigSection, Env, Live, Nested } from '@core-infra/kernel';
import { IsArray, IsBoolean, IsIn, IsInt, IsNumber, IsObject, IsOptional, IsString, Max, Min } from 'class-validator';
import { AccessLogConfig } from './http/access-log.config.js';
import { isThreshold, levelValues, type LogThreshold, logThresholds } from './levels.js';
import { RedactionConfig } from './line/redaction.config.js';
import { LimitsConfig } from './logger/limits.config.js';
import { type ChannelOptions, channelProblems } from './output/channel.options.js';

export type LogFormat = 'auto' | 'json' | 'text' | 'pretty';

/** Section `logging`. */
@ConfigSection('logging')
export class LoggingConfig {
  /**
   * The least level that is written: `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`.
   * @default by environment: `info`; `debug` with `development.debug`; `warn` under `test`
   */
  @IsOptional()
  @IsIn(logThresholds)
  @Live()
  @Env('LOG_LEVEL')
  level?: LogThreshold;

  /** Thresholds of single loggers, by name: `{ OrdersService: 'debug' }`; a name ending in `*` stands for all that begin so. @default {} */
  @IsObject()
  @Live()
  levels: Record<string, LogThreshold> = {};

  /** `json`, or `text` (also spelled `pretty`) for people; `auto` is text on a terminal in development and with `development.debug`, else JSON. @default 'auto' */
  @IsIn(['auto', 'json', 'text', 'pretty'])
  format: LogFormat = 'auto';

  /** Where lines go: `stdout`, `file` or `both`. @default 'stdout' */
  @IsIn(['stdout', 'file', 'both'])
  output: 'stdout' | 'file' | 'both' = 'stdout';

  /** Whether lines go to stdout; wins over `output`. @default as `output` says */
  @IsOptional()
  @IsBoolean()
  @Alias('enable_console')
  enableConsole?: boolean;

  /** Whether lines go to the file; wins over `output`. @default as `output` says */
  @IsOptional()
  @IsBoolean()
  @Alias('enable_file')
  enableFile?: boolean;

  /** Whether lines are JSON; wins over `format`. @default as `format` says */
  @IsOptional()
  @IsBoolean()
  @Alias('enable_json')
  enableJson?: boolean;

  /** The log file; its folder is made. @default 'logs/app.log' */
  @IsString()
  @Alias('file_path')
  filePath: string = 'logs/app.log';

  /** A file which receives the lines from `error` on besides, wherever the others go; empty is none. @default '' */
  @IsString()
  @Alias('error_file_path')
  errorFilePath: string = '';

  /** The size at which a file is rotated, in bytes; 0 never. @default 104_857_600 */
  @IsInt()
  @Min(0)
  @Alias('max_size', { unit: 'MB' })
  @Alias('max_file_size', { unit: 'bytes' })
  maxSizeBytes: number = 100 * 1_024 ** 2;

  /** The age at which a file is rotated, in milliseconds; 0 never. @default 0 */
  @IsInt()
  @Min(0)
  @Alias('rotate_every')
  rotateEveryMs: number = 0;

  /** How many rotated files are kept; 0 keeps all. @default 3 */
  @IsInt()
  @Min(0)
  @Alias('max_backups')
  @Alias('backup_count')
  maxBackups: number = 3;

  /** How long rotated files are kept, in milliseconds; 0 is forever. @default 2_419_200_000 */
  @IsInt()
  @Min(0)
  @Alias('max_age', { unit: 'd' })
  maxAgeMs: number = 28 * 86_400_000;

  /** Whether rotated files are compressed with gzip. @default false */
  @IsBoolean()
  compress: boolean = false;

  /** The longest time that a line waits in memory, in milliseconds: what a `kill -9` can cost. @default 100 */
  @IsInt()
  @Min(1)
  @Max(60_000)
  @Alias('flush_interval')
  flushIntervalMs: number = 100;

  /** What a destination holds back while it cannot write, in bytes; then lines are dropped, and counted. @default 16_777_216 */
  @IsInt()
  @Min(65_536)
  maxBufferBytes: number = 16 * 1_024 ** 2;

  /** The longest text of one value, in characters; the rest is cut off. @default 16_384 */
  @IsInt()
  @Min(256)
  maxTextLength: number = 16_384;

  /** Destinations of channels, by name: `{ audit: { filePath: 'logs/audit.log' } }`. @default {} */
  @IsObject()
  channels: Record<string, ChannelOptions> = {};

  /** Whether an uncaught exception is written as a `fatal` line before the process ends as it would anyway. @default true */
  @IsBoolean()
  uncaught: boolean = true;

  /** Components whose every call is written, each at its level: `{ database: 'debug' }`; `*` stands for the components of `operationComponents`. @default {} */
  @IsObject()
  operations: Record<string, LogThreshold> = {};

  /** Calls that are quicker are left out of the operation log, in milliseconds. @default 0 */
  @IsNumber()
  @Min(0)
  @Live()
  operationThresholdMs: number = 0;

  /** What `*` stands for in `operations`. @default the concerns of this project */
  @IsArray()
  @IsString({ each: true })
  operationComponents: string[] = 'database redis kafka rabbitmq nats mongodb mssql scylla cache messaging http'.split(
    ' ',
  );

  @Nested(() => RedactionConfig)
  redact: RedactionConfig = new RedactionConfig();

  @Nested(() => LimitsConfig)
  limits: LimitsConfig = new LimitsConfig();

  @Nested(() => AccessLogConfig)
  access: AccessLogConfig = new AccessLogConfig();

  static *check(config: LoggingConfig): Iterable<{ path: string; expected: string }> {
    const known = Object.keys(levelValues).join(', ');
    for (const path of ['levels', 'operations'] as const) {
      for (const [name, level] of Object.entries(config[path]))
        if (!isThreshold(level)) yield { path, expected: `one of ${known} for "${name}"` };
    }
    for (const expected of channelProblems(config.channels)) yield { path: 'channels', expected };
    for (const [name, ratio] of Object.entries(config.limits.sampling)) {
      if (!(typeof ratio === 'number' && ratio >= 0 && ratio <= 1))
        yield { path: 'limits.sampling', expected: `a ratio from 0 to 1 for "${name}"` };
    }
  }
}
