import { type CliContext, InfraError } from '@core-infra/kernel';
import { FlagEditError, UnknownFlagError } from '../admin/errors.js';
import { InvalidFlagsError } from '../errors.js';
import { FlagConflictError, FlagNameError, FlagsReadOnlyError } from '../stores/errors.js';

/** What the exit codes of `flags` mean besides 0 and 1: no such flag · changed by somebody else · refused, and nothing was changed. */
export const flagExitCodes = { unknown: 3, conflict: 4, refused: 5 } as const;

const refusals = [InvalidFlagsError, FlagEditError, FlagNameError, FlagsReadOnlyError];

function codeOf(error: unknown): number | undefined {
  if (error instanceof UnknownFlagError) return flagExitCodes.unknown;
  if (error instanceof FlagConflictError) return flagExitCodes.conflict;
  return refusals.some(refusal => error instanceof refusal) ? flagExitCodes.refused : undefined;
}

/** Runs a command; an error that a script may want to tell from others is printed, and is its exit code. Others are the caller's. */
export async function withExitCode({ output }: CliContext, work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || !(error instanceof InfraError)) throw error;
    output.note(`error: ${error.problem} (${error.code})`);
    if (error.fix) output.note(`       ${error.fix}`);
    return code;
  }
}
