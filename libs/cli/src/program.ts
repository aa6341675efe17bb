import { Command } from 'commander';
import type { CliCommand } from '@core-infra/kernel';
import type { FoundCommand } from './discovery/load-commands.js';
import { DuplicateCommandError } from './errors.js';
import type { Streams } from './output/cli.output.js';

/** What a command was called with. */
export interface Invocation {
  readonly command: CliCommand;
  readonly args: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
}

/** The whole command line. Commander throws instead of ending the process, and `run` is called with what was asked for. */
export function makeProgram(
  version: string,
  found: readonly FoundCommand[],
  { out, err }: Streams,
  run: (invocation: Invocation) => Promise<void>,
): Command {
  const program = new Command('core-infra')
    .description('The commands of the Core Infra packages that are installed.')
    .version(version, '-V, --version', 'print the version')
    .option(
      '--app <file>',
      'the file that exports the module of your app (or CORE_INFRA_APP, or coreInfra.app in package.json)',
    )
    .option('--config-dir <folder>', 'where the app finds its configuration (or CONFIG_DIR)')
    .option('--json', 'print results as JSON')
    .option('--verbose', 'print errors with their stacks and causes')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print the help of a command');
  configure(program, { out, err });
  const owners = new Map<string, string>();
  for (const { command, from } of found) {
    const name = words(command.usage).join(' ');
    const known = owners.get(name);
    if (known) throw new DuplicateCommandError(name, [known, from]);
    owners.set(name, from);
    add(program, command, { out, err }, run);
  }
  for (const child of program.commands)
    if (child.commands.length > 0) child.description(child.commands.map(leaf => leaf.name()).join(', '));
  program.addHelpText('after', exampleText([...examplesOf(found), 'core-infra help <command>']));
  if (found.length === 0) explainAbsence(program);
  return program;
}

/** Without any command there is nothing to suggest, and commander would only count arguments. */
function explainAbsence(program: Command): void {
  const reason =
    'No installed package brings commands. Run this where your app is, name it by --app, or install one: npm install @core-infra/config';
  program.addHelpText('after', `\n${reason}`);
  program.argument('[command...]').action((asked: readonly string[]) => {
    if (asked.length === 0) program.help();
    program.error(`error: unknown command '${asked.join(' ')}'\n${reason}`);
  });
}

/** `migrate up [name]` is `migrate`, `up`. */
export function words(usage: string): string[] {
  const all = usage.trim().split(/\s+/);
  const end = all.findIndex(word => /^[<[]/.test(word));
  return end < 0 ? all : all.slice(0, end);
}

function add(
  program: Command,
  command: CliCommand,
  streams: Streams,
  run: (invocation: Invocation) => Promise<void>,
): void {
  const path = words(command.usage);
  const last = path.pop() ?? '';
  const parent = path.reduce(
    (at, word) => at.commands.find(child => child.name() === word) ?? group(at, word, streams),
    program,
  );
  const leaf = new Command(last).description(command.summary);
  for (const argument of command.usage
    .trim()
    .split(/\s+/)
    .slice(path.length + 1))
    leaf.argument(argument);
  for (const [flags, description] of command.options ?? []) leaf.option(flags, description);
  if (command.examples?.length) leaf.addHelpText('after', exampleText(command.examples));
  configure(leaf, streams);
  leaf.action(() => run({ command, args: argumentsOf(leaf), options: leaf.opts() }));
  parent.addCommand(leaf);
}

function group(parent: Command, name: string, streams: Streams): Command {
  const made = new Command(name);
  configure(made, streams);
  parent.addCommand(made);
  return made;
}

function configure(command: Command, { out, err }: Streams): void {
  command.exitOverride().showSuggestionAfterError().configureOutput({ writeOut: out, writeErr: err });
}

function argumentsOf(leaf: Command): Invocation['args'] {
  return Object.fromEntries(
    leaf.registeredArguments.map((argument, at) => [argument.name(), leaf.processedArgs[at] as string]),
  );
}

/** One of each package, so that the list stays short. */
function examplesOf(found: readonly FoundCommand[]): string[] {
  const firsts = new Map<string, string>();
  for (const { command, from } of found) {
    const example = command.examples?.[0];
    if (example && !firsts.has(from)) firsts.set(from, example);
  }
  return [...firsts.values()];
}

function exampleText(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map(line => `  $ ${line}`).join('\n')}`;
}
