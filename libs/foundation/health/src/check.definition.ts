import type { HealthIndicatorFunction } from '@nestjs/terminus';
import type { Check } from '@core-infra/kernel';

/** A check, wherever it comes from. */
export interface CheckDefinition {
  readonly name: string;
  /** Who brings it, for messages: `the connection "database"`, `SearchService`. */
  readonly owner: string;
  readonly critical: boolean;
  /** Budget of one run, in milliseconds. */
  readonly timeoutMs: number;
  readonly run: Check;
  /** Whether `run` answers as Terminus' indicators do: `{ <any key>: { status, … } }`. @default false */
  readonly terminus?: boolean;
}

/** What can be handed to {@link HealthService.add}: any of Terminus' indicators as it is, or a check of ours. */
export type Indicator = HealthIndicatorFunction | Check;
