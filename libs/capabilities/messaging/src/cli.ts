import type { CliCommand } from '@core-infra/kernel';
import { eventCommands } from './cli/asyncapi.commands.js';
import { commands as deadLetterCommands } from './cli/commands.js';

/** What this package brings to the `core-infra` command. */
export const commands: readonly CliCommand[] = [...deadLetterCommands, ...eventCommands];
