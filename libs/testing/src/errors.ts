/** What went wrong and what helps. */
abstract class TestingError extends Error {
  abstract readonly code: string;

  constructor(
    readonly problem: string,
    readonly fix: string,
    options?: ErrorOptions,
  ) {
    super(`${problem} ${fix}`, options);
    this.name = new.target.name;
  }
}

/** Neither an address nor a way to start the server. */
export class ServiceMissingError extends TestingError {
  readonly code = 'INFRA_DEV_SERVICE_MISSING';

  constructor(
    readonly service: string,
    variables: readonly string[],
    docker: string,
    hint: string,
  ) {
    super(
      `No ${service} to work with: ${variables.join(' and ')} not set, no native server found, and ${docker}.`,
      `${hint}, or set ${variables[0]}.`,
    );
  }
}

/** A server was found but did not come up. */
export class ServiceStartError extends TestingError {
  readonly code = 'INFRA_DEV_SERVICE_START';

  constructor(
    readonly service: string,
    reason: string,
    log: string,
    options?: ErrorOptions,
  ) {
    super(
      `${service} did not start: ${reason}.`,
      log === '' ? 'Its log is empty.' : `The end of its log says:\n${log}`,
      options,
    );
  }
}

/** The folder for temporary servers belongs to somebody else. */
export class UnsafeFolderError extends TestingError {
  readonly code = 'INFRA_DEV_SERVICE_FOLDER';

  constructor(readonly folder: string) {
    super(`${folder} is not a folder of the current user.`, 'Remove it, or set TMPDIR to a folder of your own.');
  }
}

/** A server is asked for something that it cannot do in its present state. */
export class ServiceStateError extends TestingError {
  readonly code = 'INFRA_DEV_SERVICE_STATE';
}
