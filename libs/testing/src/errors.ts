import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_DEV_SERVICE_MISSING',
  summary: 'A server for development or specs has neither an address nor a way to be started on this machine.',
})
export class ServiceMissingError extends InfraError {
  constructor(
    readonly service: string,
    variables: readonly string[],
    docker: string,
    hint: string,
  ) {
    const unset = variables.length > 0 ? `${variables.join(' and ')} not set, ` : '';
    super(
      `No ${service} to work with: ${unset}nothing of it installed for this platform, and ${docker}.`,
      `${hint}${variables.length > 0 ? `, or set ${variables[0]}` : ''}.`,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_DEV_SERVICE_START',
  fault: 'dependency',
  summary: 'A server for development or specs was started and did not come up.',
})
export class ServiceStartError extends InfraError {
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

@ErrorSpec({
  code: 'INFRA_DEV_SERVICE_FOLDER',
  summary: 'The folder for temporary servers belongs to another user.',
})
export class UnsafeFolderError extends InfraError {
  constructor(readonly folder: string) {
    super(`${folder} is not a folder of the current user.`, 'Remove it, or set TMPDIR to a folder of your own.');
  }
}

@ErrorSpec({
  code: 'INFRA_DEV_SERVICE_STATE',
  summary: 'A server for development or specs is asked for what it cannot do in its present state.',
})
export class ServiceStateError extends InfraError {}

@ErrorSpec({ code: 'INFRA_SPEC_CHILD', summary: 'A child process of a spec ended before it did what was awaited.' })
export class ChildEndedError extends InfraError {
  constructor(file: string, awaited: RegExp, ending: string, output: string) {
    super(`${file} ${ending} without a line that matches ${awaited}.`, `It wrote:\n${output}`);
  }
}
