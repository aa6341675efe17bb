import { ErrorSpec, InfraError } from '@core-infra/kernel';

/** One thing that is wrong with a set of flags. */
export interface FlagProblem {
  /** JSON pointer to the place, e.g. `/flags/banner/variants/a`; empty for the whole. */
  readonly pointer: string;
  /** Counted from 1, where the text is known. */
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

/** A set of flags was refused whole; the one before it stays in force. */
@ErrorSpec({
  code: 'INFRA_FLAGS_INVALID',
  status: 422,
  fault: 'client',
  summary: 'A set of flags was refused whole, with the place of each error; the one before it stays in force.',
})
export class InvalidFlagsError extends InfraError {
  constructor(
    /** Where the flags came from: a file with its path, `redis`, `configuration`. */
    readonly source: string,
    readonly problems: readonly FlagProblem[],
    options?: ErrorOptions,
  ) {
    super(
      `The flags of ${source} are refused: ${problems.map(describeFlagProblem).join('; ')}.`,
      'Correct them at the place named; until then the last good ones are in force.',
      options,
    );
  }
}

/** `12:5 /flags/banner/state: must be ENABLED or DISABLED`. */
export function describeFlagProblem({ pointer, line, column, message }: FlagProblem): string {
  const place = [line === undefined ? '' : `${line}:${column}`, pointer].filter(Boolean).join(' ');
  return place ? `${place}: ${message}` : message;
}

/** The file of flags cannot be read or written. */
@ErrorSpec({
  code: 'INFRA_FLAGS_FILE',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'The file of flags cannot be read or written.',
})
export class FlagFileError extends InfraError {
  constructor(
    readonly path: string,
    action: 'read' | 'written' | 'locked',
    cause: unknown,
  ) {
    const reason = (cause as { code?: string }).code ?? (cause instanceof Error ? cause.message : String(cause));
    super(
      `The file of flags "${path}" cannot be ${action} (${reason}).`,
      reason === 'ENOENT'
        ? 'Write it, correct featureFlags.path (FEATURE_FLAGS_PATH), or set featureFlags.file.required to false where it may be missing.'
        : 'Look at featureFlags.path (FEATURE_FLAGS_PATH), and at the permissions of the file and its folder.',
      { cause },
    );
  }
}

/** A handler behind a `@FeatureGate` was called while its flag is off. */
@ErrorSpec({
  code: 'INFRA_FEATURE_OFF',
  status: 404,
  fault: 'client',
  summary: 'A handler behind @FeatureGate was called while its flag is off for the caller.',
})
export class FeatureOffError extends InfraError {
  override readonly status: number;

  constructor(
    readonly flag: string,
    status: number = 404,
  ) {
    super('This is not available.');
    this.status = status;
  }
}
