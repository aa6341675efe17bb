import type { Metric } from './bench-case.js';
import type { Goal, GoalResult } from './goal.js';
import type { Machine } from './machine.js';
import type { CaseResult } from './run-case.js';
import { type Spread, spreadOf } from './statistics.js';

/** A whole run: all that is needed to compute its tables anew. */
export interface Report {
  readonly machine: Machine;
  readonly command: string;
  readonly quick: boolean;
  readonly cases: readonly CaseResult[];
}

export function toMarkdown({ machine, command, quick, cases }: Report): string {
  const { cpu, cores, memoryGiB, os, node, packages, date, commit, loadBefore } = machine;
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [
    `\`${command}\`${quick ? ' (quick: too short to be quoted)' : ''}, ${date}, commit ${commit}`,
    `${cores} cores of ${cpu}, ${memoryGiB} GiB, ${os}, load ${loadBefore} before the run`,
    `Node ${node}, ${versions.join(', ')}`,
    ...cases.map(caseSection),
  ].join('\n\n');
}

function caseSection(result: CaseResult): string {
  const rounds = `${result.rounds} ${result.rounds === 1 ? 'round' : 'rounds'}: median (least–most).`;
  const goals = result.goals.length > 0 ? [goalsTable(result)] : [];
  return [`### ${result.name}`, `${result.about} ${rounds}`, valuesTable(result), ...goals].join('\n\n');
}

function valuesTable({ metrics, variants }: CaseResult): string {
  const heading = metrics.map(({ label, unit }) => (unit ? `${label}, ${unit}` : label));
  const rows = variants.map(({ name, samples }) => [
    name,
    ...metrics.map(metric => {
      const values = samples.map(sample => sample[metric.key]).filter(value => value !== undefined);
      return values.length === 0 ? '' : spreadText(spreadOf(values), metric.digits);
    }),
  ]);
  return table(['Variant', ...heading], rows);
}

function goalsTable({ goals, metrics }: CaseResult): string {
  const rows = goals.map(result => {
    const metric = metrics.find(({ key }) => key === result.goal.metric)!;
    return [goalText(result.goal, metric), measuredText(result, metric), result.met ? 'met' : '**missed**'];
  });
  return table(['Goal', 'Measured', ''], rows);
}

function goalText({ variant, against, atMost, atLeast }: Goal, { label, unit, digits }: Metric): string {
  const sign = atMost === undefined ? '≥' : '≤';
  const bound = atMost ?? atLeast ?? 0;
  if (against?.as === 'ratio') return `${label}: ${variant} ${sign} ${bound}× ${against.variant}`;
  const amount = `${number(bound, Number.isInteger(bound) ? 0 : digits)}${unit && ` ${unit}`}`;
  return `${label}: ${variant} ${sign} ${amount}${against ? ` over ${against.variant}` : ''}`;
}

function measuredText({ goal, measured }: GoalResult, { unit, digits }: Metric): string {
  if (goal.against?.as === 'ratio') return `${spreadText(measured, measured.median < 0.1 ? 4 : 2)}×`;
  return `${spreadText(measured, digits)}${unit && ` ${unit}`}`;
}

function spreadText({ median, min, max }: Spread, digits = 1): string {
  return `${number(median, digits)} (${number(min, digits)}–${number(max, digits)})`;
}

function number(value: number, digits = 1): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A Markdown table whose columns line up in plain text too. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((cell, column) => Math.max(3, cell.length, ...rows.map(row => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(heading), `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}
