import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_FLAGS_CONFLICT',
  status: 409,
  fault: 'client',
  summary: 'A flag was to be changed at a version that is no longer the newest.',
})
export class FlagConflictError extends InfraError {
  constructor(
    /** `undefined` for several at once. */
    readonly flag: string | undefined,
    readonly expected: number,
    readonly found: number,
  ) {
    const what = flag === undefined ? 'Several flags were' : `The flag ${JSON.stringify(flag)} was`;
    super(
      `${what} to be changed at version ${expected}, and the flags are at version ${found} by now.`,
      'Read the flags again, and decide anew.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_FLAGS_READ_ONLY',
  status: 409,
  fault: 'client',
  summary: 'A flag was to be changed where flags are not stored.',
})
export class FlagsReadOnlyError extends InfraError {
  constructor(readonly driver: string) {
    super(
      `The flags come from the driver "${driver}", which stores no changes.`,
      'Set featureFlags.driver to "file" or "redis" (FEATURE_FLAGS_DRIVER).',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_FLAGS_NAME',
  status: 422,
  fault: 'client',
  summary: 'A flag was to be given a name that is empty, too long, or has blanks or control characters in it.',
})
export class FlagNameError extends InfraError {
  constructor(problem: string) {
    super(`A flag's name ${problem}.`, 'Give it 1 to 200 characters, none of them a blank or a control character.');
  }
}

@ErrorSpec({
  code: 'INFRA_FLAGS_BUSY',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'A flag could not be changed, as others changed flags all the time.',
})
export class FlagsBusyError extends InfraError {
  constructor(
    /** `undefined` for several at once. */
    readonly flag: string | undefined,
    attempts: number,
  ) {
    const what = flag === undefined ? 'Several flags were' : `The flag ${JSON.stringify(flag)} was`;
    super(
      `${what} not changed: others were first ${attempts} times in a row.`,
      'Try it again, and see in the history who changes flags that often.',
    );
  }
}

/** The longest name of a flag, in characters. */
const NAME_CHARACTERS = 200;

/** The only one of several flags, for an error to name. */
export function onlyOf(flags: Readonly<Record<string, unknown>>): string | undefined {
  const [first, ...more] = Object.keys(flags);
  return more.length === 0 ? first : undefined;
}

/** @throws FlagNameError for a name that a terminal, a URL or a log line could not carry */
export function assertFlagName(name: string): void {
  if (name === '') throw new FlagNameError('is empty');
  if (name.length > NAME_CHARACTERS) throw new FlagNameError(`is ${name.length} characters long`);
  if (/[\s\p{C}]/u.test(name)) throw new FlagNameError('has a blank or a control character in it');
}
