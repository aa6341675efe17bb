import { InfraError, reasonOf } from '@core-infra/kernel';
import type { Streams } from './cli.output.js';

export interface ErrorStyle {
  readonly json: boolean;
  /** With stacks and causes. */
  readonly verbose: boolean;
}

/** An error as an operator wants it: what is wrong, what to do, and more only on demand. */
export function printError(error: unknown, { err }: Streams, { json, verbose }: ErrorStyle): void {
  const { code, problem, fix } = parts(error);
  if (json) {
    err(`${JSON.stringify({ error: { code, message: problem, fix, ...(verbose && { stack: stackOf(error) }) } })}\n`);
    return;
  }
  err(`error: ${problem.trimEnd()}${code ? ` (${code})` : ''}\n`);
  if (fix) err(`       ${fix}\n`);
  if (verbose) err(`${stackOf(error)}\n`);
  else for (const cause of causesOf(error)) if (!problem.includes(cause)) err(`cause: ${cause}\n`);
}

/** The error may be of another copy of the kernel: what counts is its shape. */
function parts(error: unknown): { code?: string; problem: string; fix?: string } {
  const { code, problem, fix } = (error ?? {}) as Partial<InfraError>;
  return {
    problem: typeof problem === 'string' ? problem : reasonOf(error),
    ...(typeof code === 'string' && { code }),
    ...(typeof fix === 'string' && fix !== '' && { fix }),
  };
}

function causesOf(error: unknown): string[] {
  const found: string[] = [];
  let at = (error as { cause?: unknown } | undefined)?.cause;
  for (; at instanceof Error && found.length < 5; at = at.cause) found.push(reasonOf(at));
  return found;
}

function stackOf(error: unknown): string {
  const found: string[] = [];
  for (let at = error; at instanceof Error && found.length < 6; at = at.cause) found.push(at.stack ?? at.message);
  return found.join('\ncaused by ');
}
