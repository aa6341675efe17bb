import { ConfigSection } from '@core-infra/kernel';
import { IsBoolean, IsInt, Max, Min } from 'class-validator';

/** What `@CacheWarmer` providers do at the boot. */
@ConfigSection('cacheWarming')
export class CacheWarmingConfig {
  /** Whether warmers run at all. @default true */
  @IsBoolean()
  enabled: boolean = true;

  /** Whether the boot waits for it, so that no request comes before. @default false */
  @IsBoolean()
  beforeReady: boolean = false;

  /** How long one warmer may take, in milliseconds, before it is told to stop and the boot goes on. @default 60_000 */
  @IsInt()
  @Min(1)
  @Max(86_400_000)
  timeoutMs: number = 60_000;

  /** How often a warmer that is under way says how far it is, in milliseconds. @default 5_000 */
  @IsInt()
  @Min(10)
  progressEveryMs: number = 5_000;
}
