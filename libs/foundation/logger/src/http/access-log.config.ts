import { Alias, Live } from '@core-infra/kernel';
import { IsArray, IsBoolean, IsIn, IsInt, IsString, Min } from 'class-validator';
import { type LogLevel, logLevels } from '../levels.js';

/** One line per HTTP request. */
export class AccessLogConfig {
  /** Whether each request is logged; if not, nothing is mounted. @default true */
  @IsBoolean()
  enabled: boolean = true;

  /** Level of an answer below 500; those from 500 on are `error`. @default 'info' */
  @IsIn(logLevels)
  @Live()
  level: LogLevel = 'info';

  /** Paths that are not logged, with all below them; query strings do not count. @default ['/health', '/metrics'] */
  @IsArray()
  @IsString({ each: true })
  exclude: string[] = ['/health', '/metrics'];

  /** From which duration on a request is written at least at `warn`, with `slow: true`, also an excluded one, in milliseconds; 0 never. @default 1_000 */
  @IsInt()
  @Min(0)
  @Live()
  @Alias('slow_request_threshold')
  slowMs: number = 1_000;
}
