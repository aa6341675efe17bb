import { ErrorSpec, InfraError } from './infra-error.js';
import { withoutCredentials } from './without-credentials.js';

/** One thing that is wrong with the configuration. Secret values arrive here masked. */
export interface ConfigProblem {
  /** Full key, e.g. `database.pool.max`. */
  readonly key: string;
  /** The environment variable that sets the key, if there is one. */
  readonly env?: string;
  /** Where the value came from: a variable, a file with its line, `code`, or `default`. */
  readonly source?: string;
  /** What was expected, e.g. `an integer`, `not less than 1`. */
  readonly expected: string;
  /** What was found, printable, masked when the field is secret. */
  readonly got?: string;
}

/** One line of text for one problem. */
export function describeProblem({ key, env, source, expected, got }: ConfigProblem): string {
  const where = [env && `env ${env}`, source && `set by ${source}`].filter(Boolean).join(', ');
  return `${key}${where ? ` (${where})` : ''}: expected ${expected}${got === undefined ? '' : `, got ${got}`}`;
}

@ErrorSpec({ code: 'INFRA_CONFIG', summary: 'The configuration is invalid; every problem is listed.' })
export class ConfigError extends InfraError {
  constructor(readonly problems: readonly ConfigProblem[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n` +
        problems.map(problem => `  - ${describeProblem(problem)}`).join('\n') +
        '\n',
      'Correct each value where it is set; `core-infra config print` shows every value with its source.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_DUPLICATE_CONNECTION',
  summary: 'One connection is registered twice with different configuration.',
})
export class DuplicateConnectionError extends InfraError {
  constructor(
    readonly connection: string,
    readonly importers: readonly string[],
  ) {
    super(
      `${connection} is registered twice with different configuration, in ${importers.join(' and in ')}.`,
      `Register it once, or give one of them a name of its own: forRootAsync({ name: '<name>' }).`,
    );
  }
}

@ErrorSpec({ code: 'INFRA_DUPLICATE_FEATURE', summary: 'One module imports two forFeature of the same port.' })
export class DuplicateFeatureError extends InfraError {
  constructor(
    readonly module: string,
    readonly port: string,
    readonly names: readonly string[],
  ) {
    super(
      `${module} binds ${port} twice, to ${names.map(name => `"${name}"`).join(' and ')}, and Nest would silently take the first.`,
      'Keep one forFeature, and inject the other connection by name with its @Inject… decorator.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_BARE_IMPORT',
  summary: 'A concern is imported as a class, without forRoot, forRootAsync or forFeature.',
})
export class BareImportError extends InfraError {
  constructor(readonly module: string) {
    super(
      `${module} is imported as a bare class, which opens nothing and provides nothing.`,
      `Import ${module}.forRootAsync() (its section of the configuration), ${module}.forRoot({ … }), or hand the class to CoreInfraModule's concerns.`,
    );
  }
}

@ErrorSpec({ code: 'INFRA_MISSING_UPSTREAM', summary: 'A driver stands on a connection that nobody registers.' })
export class MissingUpstreamError extends InfraError {
  constructor(
    readonly connection: string,
    readonly driver: string,
    readonly upstream: string,
  ) {
    super(
      `${connection} uses the driver "${driver}", which stands on the connection ${upstream}, and nobody registers that.`,
      `Import the module that provides ${upstream}, or name another one with { on: '<name>' } in forRoot or forRootAsync.`,
    );
  }
}

@ErrorSpec({ code: 'INFRA_MISSING_CONNECTION', summary: 'forFeature names a connection that nobody registers.' })
export class MissingConnectionError extends InfraError {
  constructor(
    readonly connection: string,
    readonly registered: readonly string[],
  ) {
    super(
      registered.includes(connection)
        ? `forFeature names the connection ${connection}, which is registered with isGlobal: false and so is not seen there.`
        : `forFeature names the connection ${connection}, and nobody registers it (registered: ${registered.join(', ') || 'none'}).`,
      registered.includes(connection)
        ? 'Leave isGlobal out of its registration, or inject it by name in the module that registers it.'
        : `Register it with forRootAsync({ name: '<name>' }), or correct the name.`,
    );
  }
}

@ErrorSpec({ code: 'INFRA_MISSING_PACKAGE', summary: 'A driver needs an npm package that is not installed.' })
export class MissingPackageError extends InfraError {
  constructor(
    readonly neededBy: string,
    readonly packages: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`${neededBy} needs a package that is not installed.`, `Run: npm install ${packages.join(' ')}`, options);
  }
}

@ErrorSpec({ code: 'INFRA_UNKNOWN_DRIVER', summary: 'A connection names a driver that its concern does not have.' })
export class UnknownDriverError extends InfraError {
  constructor(
    readonly connection: string,
    readonly driver: string,
    readonly drivers: readonly string[],
  ) {
    super(`${connection} names the driver "${driver}", which does not exist.`, `Choose one of: ${drivers.join(', ')}.`);
  }
}

@ErrorSpec({
  code: 'INFRA_CONNECT_FAILED',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'A required connection could not be opened within connectTimeoutMs.',
})
export class ConnectFailedError extends InfraError {
  /** Without credentials. */
  readonly address: string | undefined;
  /** Without credentials. */
  readonly reason: string;

  constructor(
    readonly connection: string,
    address: string | undefined,
    reason: string,
    fix: string,
    options?: ErrorOptions,
  ) {
    const at = address ? ` at ${withoutCredentials(address)}` : '';
    super(`${connection}${at} could not be opened: ${withoutCredentials(reason).replace(/\.$/, '')}.`, fix, options);
    this.address = address === undefined ? undefined : withoutCredentials(address);
    this.reason = withoutCredentials(reason);
  }
}

@ErrorSpec({
  code: 'INFRA_NOT_CONNECTED',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'A connection with startup: background has not reached its server yet.',
})
export class NotConnectedError extends InfraError {
  constructor(
    readonly connection: string,
    options?: ErrorOptions,
  ) {
    super(
      `${connection} has not reached its server yet.`,
      'It keeps trying in the background; see its address and the cause.',
      options,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_STEP_TIMEOUT',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'A connect, check, drain or close step did not end within its budget and was abandoned.',
})
export class StepTimeoutError extends InfraError {
  constructor(
    readonly connection: string,
    readonly step: string,
    readonly budgetMs: number,
  ) {
    super(
      `${connection} did not ${step} within ${Math.round(budgetMs)} ms.`,
      'Look at the server, or raise the budget of that step.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_SHUTTING_DOWN',
  status: 503,
  fault: 'server',
  retryable: true,
  summary: 'Something was asked of a process that is shutting down.',
})
export class ShuttingDownError extends InfraError {
  constructor(readonly what: string) {
    super(`${what} was refused: the process is shutting down.`, 'Repeat the call; another instance will take it.');
  }
}
