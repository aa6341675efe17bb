import type { StepReport } from '@core-infra/kernel';

/** One phase of a shutdown, in the order it ran. */
export interface ShutdownPhase {
  readonly phase: 'delay' | 'drain' | 'http' | 'close';
  readonly durationMs: number;
  /** Connections that were drained or closed, each with its own timing. */
  readonly connections?: readonly { id: string; durationMs: number; outcome: StepReport['outcome'] }[];
  /** Requests that were cut at the deadline. */
  readonly cut?: number;
}

/** The whole shutdown, as one record for the log. */
export interface ShutdownReport {
  /** The signal, or whatever else asked for it. */
  readonly reason: string;
  readonly durationMs: number;
  /** `clean` makes the exit code 0; a step that failed or was abandoned makes it 1. */
  readonly outcome: 'clean' | 'failed' | 'abandoned';
  readonly phases: readonly ShutdownPhase[];
  /** What failed or was left behind, by name. */
  readonly problems: readonly string[];
}
