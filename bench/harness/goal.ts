import { paired, type Spread, spreadOf } from './statistics.js';

/** What a case is meant to reach. A goal that is missed is told in the table; it never fails the run. */
export interface Goal {
  /** Key of the metric. */
  readonly metric: string;
  /** The variant that has the goal. */
  readonly variant: string;
  /** What it is held against; without it the value itself counts. */
  readonly against?: { readonly variant: string; readonly as: 'ratio' | 'difference' };
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface GoalResult {
  readonly goal: Goal;
  readonly measured: Spread;
  /** By the median. */
  readonly met: boolean;
}

/** Values of a metric by variant, a value for each round. */
export type Values = (variant: string, metric: string) => readonly number[];

export function judge(goal: Goal, values: Values): GoalResult {
  const measured = measure(goal, values);
  const { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY } = goal;
  return { goal, measured, met: measured.median <= atMost && measured.median >= atLeast };
}

function measure({ metric, variant, against }: Goal, values: Values): Spread {
  const ours = values(variant, metric);
  if (!against) return spreadOf(ours);
  const theirs = values(against.variant, metric);
  return paired(ours, theirs, against.as === 'ratio' ? (a, b) => a / b : (a, b) => a - b);
}
