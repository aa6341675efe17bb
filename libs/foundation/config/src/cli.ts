import type { CliCommand } from '@core-infra/kernel';
import { configCheck } from './cli/config-check.command.js';
import { configPrint } from './cli/config-print.command.js';
import { configSchema } from './cli/config-schema.command.js';

/** What this package brings to the `core-infra` command. */
export const commands: readonly CliCommand[] = [configPrint, configCheck, configSchema];
