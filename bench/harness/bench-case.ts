import type { Goal } from './goal.js';

/** What one round of one variant measured, by the key of the metric. */
export type Sample = Readonly<Record<string, number>>;

export interface Metric {
  readonly key: string;
  /** Heading of its column. */
  readonly label: string;
  readonly unit: string;
  /** Digits after the decimal point. @default 1 */
  readonly digits?: number;
}

/** How thorough a run is. */
export interface Effort {
  /** Shorter rounds: enough to see that all works, too short to be quoted. */
  readonly quick: boolean;
  /** A folder that is gone after the run. */
  readonly folder: string;
}

/** One of the things that are compared. */
export interface Variant {
  readonly name: string;
  /** One round. Leaves nothing behind: no process, no timer, no file outside the run's folder. */
  measure(): Promise<Sample>;
}

/** The variants of a case, and what they stand on. */
export interface OpenCase {
  readonly variants: readonly Variant[];
  close?(): Promise<void>;
}

export interface BenchCase {
  readonly name: string;
  /** What is compared, in a sentence or two of Markdown. */
  readonly about: string;
  readonly metrics: readonly Metric[];
  readonly goals: readonly Goal[];
  /** Rounds of a full run, when the command line does not say. */
  readonly rounds: number;
  open(effort: Effort): Promise<OpenCase>;
}
