import { Live } from '@core-infra/kernel';
import { IsInt, IsIn, IsObject, Min } from 'class-validator';
import { type LogLevel, logLevels } from '../levels.js';

/** What keeps noisy lines down. What is left out is counted, and told by `suppressed` on the next line of its kind. */
export class LimitsConfig {
  /** How many lines of one logger with one message pass per window; 0 is no limit. @default 0 */
  @IsInt()
  @Min(0)
  @Live()
  burst: number = 0;

  /** The window of `burst`, in milliseconds. @default 1_000 */
  @IsInt()
  @Min(1)
  @Live()
  windowMs: number = 1_000;

  /** The gravest level that limits and sampling hold back; graver lines always pass. @default 'info' */
  @IsIn(logLevels)
  @Live()
  upTo: LogLevel = 'info';

  /** The share of lines that pass, from 0 to 1, by logger name: `{ CacheService: 0.01 }`; `*` is every other logger. @default {} */
  @IsObject()
  @Live()
  sampling: Record<string, number> = {};
}
