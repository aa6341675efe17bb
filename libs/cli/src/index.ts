export { AppFileError, BadEntryError, BuiltWithoutCommandsError, DuplicateCommandError, NoAppError } from './errors.js';
export type { Streams } from './output/cli.output.js';
export { type CliRun, exitCodes, runCli } from './run-cli.js';
