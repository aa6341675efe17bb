import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({ code: 'INFRA_CLI_NO_APP', summary: 'A command needs the app, and none was named.' })
export class NoAppError extends InfraError {
  constructor() {
    super(
      'This command needs your app, and none was named.',
      'Name the file that exports its module: --app dist/app.module.js, CORE_INFRA_APP, or "coreInfra": { "app": "dist/app.module.js" } in package.json.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_CLI_APP_FILE',
  summary: 'The file named by --app is missing, fails to load, or exports no module class.',
})
export class AppFileError extends InfraError {
  constructor(
    readonly file: string,
    problem: string,
    fix: string,
    options?: ErrorOptions,
  ) {
    super(`${file} ${problem}.`, fix, options);
  }
}

@ErrorSpec({ code: 'INFRA_CLI_DUPLICATE_COMMAND', summary: 'Two packages bring a command of the same name.' })
export class DuplicateCommandError extends InfraError {
  constructor(
    readonly command: string,
    readonly packages: readonly [string, string],
  ) {
    super(
      `The command "${command}" comes from ${packages[0]} and from ${packages[1]}.`,
      'Remove one of the packages, or ask its author for another name.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_CLI_BAD_ENTRY',
  summary: "A package's ./cli entry cannot be loaded, or exports no list of commands.",
})
export class BadEntryError extends InfraError {
  constructor(
    readonly packageName: string,
    problem: string,
    fix: string,
    options?: ErrorOptions,
  ) {
    super(`The commands of ${packageName} ${problem}.`, fix, options);
  }
}

@ErrorSpec({
  code: 'INFRA_CLI_BUILT_WITHOUT_COMMANDS',
  summary: 'The build of an app holds copies of libraries, but not the commands that belong to these copies.',
})
export class BuiltWithoutCommandsError extends InfraError {
  constructor(
    readonly packageName: string,
    readonly copy: string,
  ) {
    super(
      `The app runs on its own copy of ${packageName} (${copy}), which was built without the package's commands.`,
      'Add "../../libs/**/src/cli.ts" to "include" in the tsconfig of the app, and build it again.',
    );
  }
}
