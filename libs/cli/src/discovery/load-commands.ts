import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CliCommand, reasonOf } from '@core-infra/kernel';
import { BadEntryError, BuiltWithoutCommandsError } from '../errors.js';
import { builtCopy } from './built.copy.js';
import type { CommandPackage } from './installed.packages.js';

/** A command, and who brings it. */
export interface FoundCommand {
  readonly command: CliCommand;
  readonly from: string;
}

/**
 * Loads a package's commands so that they share the classes of the app: from the app's own build where that holds a copy of the
 * package, else as the app's file would resolve `<package>/cli`.
 * @throws BadEntryError
 */
export async function loadCommands(found: CommandPackage, appFile: string | undefined): Promise<FoundCommand[]> {
  const { name } = found;
  const copy = appFile === undefined ? undefined : builtCopy(appFile, found);
  const commands = await commandsOf(name, copy?.cli ?? entryOf(found));
  if (!copy || copy.cli) return commands.map(command => ({ command, from: name }));
  // What has no need of the app's classes works all the same; what asks for the app is told why it cannot.
  return commands.map(command => ({
    command: withoutApp(command, new BuiltWithoutCommandsError(name, copy.main)),
    from: name,
  }));
}

function withoutApp(command: CliCommand, error: Error): CliCommand {
  const refuse = () => Promise.reject(error);
  return { ...command, run: context => command.run({ ...context, app: { inspect: refuse, boot: refuse } }) };
}

async function commandsOf(name: string, entry: string): Promise<readonly CliCommand[]> {
  const loaded = await load(name, entry);
  const whole = loaded['default'] as { commands?: unknown } | undefined;
  const commands = loaded['commands'] ?? whole?.commands;
  if (Array.isArray(commands) && commands.every(isCommand)) return commands;
  throw new BadEntryError(
    name,
    `are not there: ${entry} exports no list "commands" of { usage, summary, run }`,
    'Ask its author, or install the version that belongs to your other packages.',
  );
}

async function load(name: string, entry: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(entry).href)) as Record<string, unknown>;
  } catch (error) {
    throw new BadEntryError(name, `could not be loaded: ${reasonOf(error)}`, 'Install it again, or build it.', {
      cause: error,
    });
  }
}

/** As Node would find it from inside the package, which may name itself; an entry for `import` alone is found by hand. */
function entryOf({ name, folder, manifest }: CommandPackage): string {
  try {
    return createRequire(join(folder, 'package.json')).resolve(`${name}/cli`);
  } catch (error) {
    const target = targetOf((manifest.exports as Record<string, unknown>)['./cli']);
    if (target === undefined)
      throw new BadEntryError(name, 'cannot be found', 'Its "exports" has no usable "./cli".', { cause: error });
    return join(folder, target);
  }
}

function targetOf(entry: unknown): string | undefined {
  if (typeof entry === 'string') return entry;
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { node, import: imported, default: fallback } = entry as Record<string, unknown>;
  return targetOf(node) ?? targetOf(imported) ?? targetOf(fallback);
}

function isCommand(value: unknown): value is CliCommand {
  const command = value as Partial<CliCommand> | null;
  return typeof command?.usage === 'string' && typeof command.summary === 'string' && typeof command.run === 'function';
}
