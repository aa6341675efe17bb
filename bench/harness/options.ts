import { parseArgs } from 'node:util';

export interface Options {
  /** Names of the cases to run; none is all. */
  readonly cases: readonly string[];
  /** File for the results as JSON. */
  readonly json?: string;
  /** Rounds of every case; without it, each case's own number. */
  readonly rounds?: number;
  readonly quick: boolean;
  readonly help: boolean;
}

export const usage = `Usage: npm run bench [-- case… [--json <file>] [--rounds <n>] [--quick]]

  case…          cases to run (all of them by default)
  --json <file>  also writes every sample as JSON
  --rounds <n>   rounds of each case, from 1 to 100
  --quick        shorter rounds, and 3 of them: to see that it works, not to be quoted
`;

/** Says what is wrong with the arguments. */
export class UsageError extends Error {}

const QUICK_ROUNDS = 3;

/** @throws UsageError */
export function parseOptions(args: readonly string[], known: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const unknown = positionals.filter(name => !known.includes(name));
  if (unknown.length > 0) throw new UsageError(`No such case: ${unknown.join(', ')}. There are: ${known.join(', ')}.`);
  const rounds = values.rounds === undefined ? (values.quick ? QUICK_ROUNDS : undefined) : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1 && rounds <= 100))
    throw new UsageError(`--rounds is a whole number from 1 to 100, not "${values.rounds}".`);
  const { json, quick, help } = values;
  return {
    cases: positionals,
    quick,
    help,
    ...(json !== undefined && { json }),
    ...(rounds !== undefined && { rounds }),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        rounds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}
