import { Live } from '@core-infra/kernel';
import { IsInt, IsNumber, IsOptional, IsString, Max, Min } from 'class-validator';

/** How late timers may fire. The check `event-loop` exists when one of the two is set. */
export class EventLoopThresholds {
  /** 99th percentile of the event loop's delay since the last check, in milliseconds, from which the process is `degraded`. @default off */
  @IsOptional() @IsInt() @Min(1) @Live() degradedMs?: number;
  /** The same delay, in milliseconds, from which the process is `down`. @default off */
  @IsOptional() @IsInt() @Min(1) @Live() downMs?: number;
}

/** How full V8's heap may be. The check `heap` exists when one of the two is set. */
export class HeapThresholds {
  /** Share of V8's heap limit in use, from 0 to 1, from which the process is `degraded`. @default off */
  @IsOptional() @IsNumber() @Min(0) @Max(1) @Live() degradedRatio?: number;
  /** Share of V8's heap limit in use, from 0 to 1, from which the process is `down`. @default off */
  @IsOptional() @IsNumber() @Min(0) @Max(1) @Live() downRatio?: number;
}

/** How much memory the whole process may hold. The check `rss` exists when one of the two is set. */
export class RssThresholds {
  /** Resident set size, in bytes, from which the process is `degraded`. @default off */
  @IsOptional() @IsInt() @Min(1) @Live() degradedBytes?: number;
  /** Resident set size, in bytes, from which the process is `down`. @default off */
  @IsOptional() @IsInt() @Min(1) @Live() downBytes?: number;
}

/** How busy the process may be. The check `cpu` exists when one of the two is set. */
export class CpuThresholds {
  /** CPU time of the process since the last check, as a share of one core, from which it is `degraded`; more than 1 is several cores. @default off */
  @IsOptional() @IsNumber() @Min(0) @Live() degradedRatio?: number;
  /** The same share of one core, from which the process is `down`. @default off */
  @IsOptional() @IsNumber() @Min(0) @Live() downRatio?: number;
}

/** How full a disk may be. The check `disk` exists when one of the two is set. */
export class DiskThresholds {
  /** A folder on the disk that is watched. @default the working directory */
  @IsOptional() @IsString() path?: string;
  /** Share of the disk in use, from 0 to 1, from which the process is `degraded`. @default off */
  @IsOptional() @IsNumber() @Min(0) @Max(1) @Live() degradedRatio?: number;
  /** Share of the disk in use, from 0 to 1, from which the process is `down`. @default off */
  @IsOptional() @IsNumber() @Min(0) @Max(1) @Live() downRatio?: number;
}
