import { ConfigSection, Live, Nested, Secret } from '@core-infra/kernel';
import {
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  MinLength,
} from 'class-validator';
import { parseNetwork } from './networks.js';
import {
  CpuThresholds,
  DiskThresholds,
  EventLoopThresholds,
  HeapThresholds,
  RssThresholds,
} from './thresholds.config.js';

/** Built-in checks of the process itself that liveness may depend on. */
export const livenessChecks = ['event-loop', 'heap', 'rss'] as const;
export type LivenessCheck = (typeof livenessChecks)[number];

const withThreshold: Record<LivenessCheck, (config: HealthConfig) => unknown> = {
  'event-loop': ({ eventLoop }) => eventLoop.downMs,
  heap: ({ heap }) => heap.downRatio,
  rss: ({ rss }) => rss.downBytes,
};

/** Section `health`. */
@ConfigSection('health')
export class HealthConfig {
  /** Path of the routes, outside any API prefix; empty serves none. @default '/health' */
  @IsString()
  @Matches(/^(\/[\w.~-]+)*$/, { message: 'path must be a path such as /health, or empty' })
  path: string = '/health';
  /** The longest that an answer may take, in milliseconds; a check that is not done counts with its last state. @default 1_000 */
  @IsInt() @Min(10) @Max(60_000) @Live() deadlineMs: number = 1_000;
  /** How long a result is shared between probes, in milliseconds: no check runs more often than once in this time. @default 1_000 */
  @IsInt() @Min(0) @Max(60_000) @Live() cacheMs: number = 1_000;
  /** Failures in a row before a check that was up counts as `down`; until then it is `degraded`. The very first result counts at once. @default 2 */
  @IsInt() @Min(1) @Live() failureThreshold: number = 2;
  /** Successes in a row before a check that was `down` counts as up again. @default 1 */
  @IsInt() @Min(1) @Live() successThreshold: number = 1;
  /** How often all checks run in the background once the app listens, in milliseconds; 0 turns it off. @default 10_000 */
  @IsInt() @Min(0) @Max(3_600_000) @Live() intervalMs: number = 10_000;
  /** How many changes of state are remembered for each check. @default 20 */
  @IsInt() @Min(0) @Max(1_000) @Live() historySize: number = 20;
  /** Whoever sends it as `Authorization: Bearer …` sees details: errors, statistics, latency, history. @default nobody */
  @IsOptional() @IsString() @MinLength(8) @Secret() @Live() token?: string;
  /** Networks whose members see details, such as `10.0.0.0/8` or `::1`, by the address of the socket itself. @default none */
  @IsArray() @IsString({ each: true }) networks: string[] = [];
  /** Whether `/health` and `/health/<name>` refuse whoever may not see details; the three probes stay open. @default false */
  @IsBoolean() @Live() guarded: boolean = false;
  /** Built-in checks that `/health/live` asks: `event-loop`, `heap`, `rss`, each with its `down` threshold set. @default none */
  @IsArray() @IsIn(livenessChecks, { each: true }) @ArrayUnique() liveness: LivenessCheck[] = [];
  /** Thresholds of the check `event-loop`. */
  @Nested(() => EventLoopThresholds) eventLoop: EventLoopThresholds = new EventLoopThresholds();
  /** Thresholds of the check `heap`. */
  @Nested(() => HeapThresholds) heap: HeapThresholds = new HeapThresholds();
  /** Thresholds of the check `rss`. */
  @Nested(() => RssThresholds) rss: RssThresholds = new RssThresholds();
  /** Thresholds of the check `cpu`. */
  @Nested(() => CpuThresholds) cpu: CpuThresholds = new CpuThresholds();
  /** Thresholds of the check `disk`. */
  @Nested(() => DiskThresholds) disk: DiskThresholds = new DiskThresholds();

  static *check(config: HealthConfig): Iterable<{ path: string; expected: string }> {
    for (const network of config.networks) {
      if (!parseNetwork(network))
        yield { path: 'networks', expected: `addresses or CIDR ranges, and "${network}" is none` };
    }
    for (const name of config.liveness) {
      if (withThreshold[name](config) === undefined)
        yield { path: 'liveness', expected: `"${name}" to have its down threshold set, else it would never fail` };
    }
  }
}
