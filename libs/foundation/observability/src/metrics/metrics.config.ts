import { Env, Live, Secret } from '@core-infra/kernel';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  MinLength,
} from 'class-validator';

/** Numbers for Prometheus. */
export class MetricsConfig {
  /** Whether anything is measured; if not, nothing is subscribed to and the route is not there. @default true */
  @IsBoolean() @Env('ENABLE_METRICS') enabled: boolean = true;
  /** Path of the route, outside any API prefix; empty serves none. @default '/metrics' */
  @IsString()
  @Matches(/^(\/[\w.~-]+)*$/, { message: 'path must be a path such as /metrics, or empty' })
  path: string = '/metrics';
  /** Only who sends it as `Authorization: Bearer …` gets an answer. @default everybody does */
  @IsOptional() @IsString() @MinLength(8) @Secret() @Live() token?: string;
  /** Whether the process itself is measured: CPU, memory, garbage collection, event loop. @default true */
  @IsBoolean() process: boolean = true;
  /** Whether HTTP requests are measured. @default true */
  @IsBoolean() http: boolean = true;
  /** Components whose operations and events are not measured, such as `cache` or `feature-flags`. @default none */
  @IsArray() @IsString({ each: true }) @ArrayUnique() exclude: string[] = [];
  /** Upper bounds of the buckets that durations are sorted into, in milliseconds, ascending. @default 0.5 to 10_000 in 14 steps */
  @IsArray()
  @IsNumber({}, { each: true })
  @Min(0.001, { each: true })
  @ArrayNotEmpty()
  @ArrayMaxSize(50)
  bucketsMs: number[] = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
  /** How many sets of labels one metric may have; whatever comes later is counted together, as `other`. @default 1_000 */
  @IsInt() @Min(1) @Max(100_000) maxSeries: number = 1_000;
  /** How long what was read of brokers and databases is shared between scrapes, in milliseconds: each is asked no more than once in this time. @default 1_000 */
  @IsInt() @Min(0) @Max(3_600_000) @Live() cacheMs: number = 1_000;
  /** How long a scrape waits for what is read of brokers and databases, in milliseconds; who has not answered by then is left out. @default 1_000 */
  @IsInt() @Min(1) @Max(60_000) @Live() readTimeoutMs: number = 1_000;
}
