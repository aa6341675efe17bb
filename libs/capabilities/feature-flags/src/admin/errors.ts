import { ErrorSpec, InfraError, nearest } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_FLAGS_UNKNOWN',
  status: 404,
  fault: 'client',
  summary: 'A flag was to be shown, changed or removed that does not exist.',
})
export class UnknownFlagError extends InfraError {
  constructor(
    readonly flag: string,
    known: Iterable<string>,
  ) {
    const close = nearest(flag, new Set(known));
    super(
      `There is no flag ${JSON.stringify(flag)}.`,
      close === undefined ? 'core-infra flags list shows those that there are.' : `Did you mean ${close}?`,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_FLAGS_EDIT',
  status: 422,
  fault: 'client',
  summary: 'A flag was to be changed in a way that does not fit its definition.',
})
export class FlagEditError extends InfraError {}

@ErrorSpec({
  code: 'INFRA_FLAGS_PRECONDITION',
  status: 412,
  fault: 'client',
  summary: 'The version in If-Match is no longer the newest.',
})
export class FlagPreconditionError extends InfraError {
  constructor(
    readonly flag: string,
    readonly found: number,
    options?: ErrorOptions,
  ) {
    super(
      `The flags are at version ${found} by now, which is not the one in If-Match.`,
      'Read the flag again, and decide anew.',
      options,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_FLAGS_ADMIN_UNGUARDED',
  summary: 'FeatureFlagsAdminModule was mounted without a guard.',
})
export class UnguardedAdminError extends InfraError {
  constructor(problem: string) {
    super(
      `FeatureFlagsAdminModule ${problem}, so that every caller could change flags.`,
      "Give it guards that are passed by administrators alone: FeatureFlagsAdminModule.forRoot({ guards: [AdminGuard] }); or guards: 'global' where an APP_GUARD of the app does that.",
    );
  }
}
