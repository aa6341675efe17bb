import type { BenchCase, Effort, Metric, Sample } from './bench-case.js';
import { type GoalResult, judge } from './goal.js';
import { rotated } from './statistics.js';

export interface VariantResult {
  readonly name: string;
  /** One for each round, in their order. */
  readonly samples: readonly Sample[];
}

export interface CaseResult {
  readonly name: string;
  readonly about: string;
  readonly rounds: number;
  readonly metrics: readonly Metric[];
  readonly variants: readonly VariantResult[];
  readonly goals: readonly GoalResult[];
}

export interface RunOptions {
  readonly rounds: number;
  readonly effort: Effort;
  readonly progress: (line: string) => void;
  /** Ends the run before its next sample. */
  readonly signal?: AbortSignal;
}

/** Runs all variants of a case in every round, each round beginning with another one: A B C, B C A, C A B, … */
export async function runCase(bench: BenchCase, { rounds, effort, progress, signal }: RunOptions): Promise<CaseResult> {
  const open = await bench.open(effort);
  try {
    const samples = new Map(open.variants.map(({ name }) => [name, [] as Sample[]]));
    for (let round = 0; round < rounds; round += 1) {
      for (const variant of rotated(open.variants, round)) {
        signal?.throwIfAborted();
        const sample = await variant.measure();
        samples.get(variant.name)!.push(sample);
        progress(`${bench.name} ${round + 1}/${rounds} ${variant.name}: ${brief(bench.metrics, sample)}`);
      }
    }
    const values = (variant: string, metric: string) => samples.get(variant)!.map(sample => valueOf(sample, metric));
    return {
      name: bench.name,
      about: bench.about,
      rounds,
      metrics: bench.metrics,
      variants: open.variants.map(({ name }) => ({ name, samples: samples.get(name)! })),
      goals: bench.goals.map(goal => judge(goal, values)),
    };
  } finally {
    await open.close?.();
  }
}

function valueOf(sample: Sample, metric: string): number {
  const value = sample[metric];
  if (value === undefined) throw new Error(`A sample has no "${metric}": ${JSON.stringify(sample)}`);
  return value;
}

function brief(metrics: readonly Metric[], sample: Sample): string {
  return metrics
    .filter(({ key }) => sample[key] !== undefined)
    .map(({ key, unit, digits = 1 }) => `${sample[key]!.toFixed(digits)} ${unit}`.trimEnd())
    .join(', ');
}
