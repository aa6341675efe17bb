import type { CliCommand, CliContext } from '@core-infra/kernel';
import { type Edit, remove, replaceBy, setDefault, setRollout, setState } from '../admin/edits.js';
import type { Edited } from '../admin/flag-editor.js';
import { definitionOf } from '../admin/patch.js';
import { argument, contentOf, documentFile, editOptions, integer, jsonOf, option, percentage } from './arguments.js';
import { cellsOf, changeCells, row, shortChange } from './summary.js';
import { withFlags } from './with-flags.js';

const where = [['--connection <name>', 'name of the flags, when they are not the default ones']] as const;

const changing = [
  ...where,
  ['--by <who>', 'who makes the change, for the history (default: the user of this system)'],
  ['--if-version <number>', 'change nothing if the flags are at another version by now'],
  ['--dry-run', 'check the change, and make none'],
] as const;

/** One flag is changed. */
function change(
  usage: string,
  summary: string,
  example: string,
  edit: (context: CliContext) => Edit | Promise<Edit>,
): CliCommand {
  return {
    usage,
    summary,
    options: changing,
    examples: [example],
    run: context =>
      withFlags(context, async editor => {
        const options = editOptions(context);
        report(context, await editor.edit(argument(context, 'flag'), await edit(context), options), options.dryRun);
      }),
  };
}

export const commands: readonly CliCommand[] = [
  {
    usage: 'flags list',
    summary: 'Every flag, of the store and of the configuration',
    options: where,
    examples: ['core-infra --app dist/app.module.js flags list'],
    run: context =>
      withFlags(context, async editor => {
        const { version, flags } = await editor.list();
        context.output.rows(
          flags.map(listed => row(cellsOf(listed), { ...listed, version })),
          { empty: 'There are no flags.' },
        );
      }),
  },
  {
    usage: 'flags get <flag>',
    summary: "A flag's definition",
    options: where,
    examples: ['core-infra --app dist/app.module.js flags get new-checkout'],
    run: context =>
      withFlags(context, async editor => {
        const found = await editor.get(argument(context, 'flag'));
        context.output.json(found);
        context.output.text(JSON.stringify(found.definition, null, 2));
      }),
  },
  change(
    'flags set <flag> <value>',
    'Define a flag (JSON, @file or - for stdin), or choose the variant for whoever no rule decides for',
    'core-infra --app dist/app.module.js flags set new-checkout on',
    async context => {
      const content = await contentOf(argument(context, 'value'));
      return /^\s*[{[]/.test(content) ? replaceBy(definitionOf(jsonOf(content))) : setDefault(content.trim());
    },
  ),
  change(
    'flags enable <flag>',
    'Switch a flag on: its rules decide',
    'core-infra --app dist/app.module.js flags enable new-checkout',
    () => setState('ENABLED'),
  ),
  change(
    'flags disable <flag>',
    'Switch a flag off for everybody, whatever its rules are',
    'core-infra --app dist/app.module.js flags disable new-checkout --by "ann, incident 42"',
    () => setState('DISABLED'),
  ),
  change(
    'flags rollout <flag> <percent>',
    'Switch a boolean flag on for a share of users; nobody who is in falls out while it grows',
    'core-infra --app dist/app.module.js flags rollout new-checkout 20',
    context => setRollout(percentage(argument(context, 'percent'))),
  ),
  change(
    'flags unset <flag>',
    'Remove a flag from the store; one of that name in the configuration is in force again',
    'core-infra --app dist/app.module.js flags unset new-checkout',
    () => remove,
  ),
  {
    usage: 'flags export',
    summary: 'The flags of the store as one document, for import in another environment',
    options: [...where, ['--all', 'with the flags of the configuration that the store has not']],
    examples: ['core-infra --app dist/app.module.js flags export > flags.json'],
    run: context =>
      withFlags(context, async editor => {
        const document = await editor.export(context.options['all'] === true);
        context.output.json(document);
        context.output.text(JSON.stringify(document, null, 2));
      }),
  },
  {
    usage: 'flags import <file>',
    summary: 'Take all flags of a file (JSON, YAML, or - for stdin), as one change, or none',
    options: [...changing, ['--prune', 'remove the flags of the store that the file has not']],
    examples: ['core-infra --app dist/app.module.js flags import flags.json --dry-run'],
    run: context =>
      withFlags(context, async editor => {
        const options = editOptions(context);
        const file = await documentFile(argument(context, 'file'));
        const prune = context.options['prune'] === true;
        const { version, changes } = await editor.import({ ...file, prune }, options);
        context.output.rows(
          changes.map(change =>
            row({ ...shortChange(change), version }, { ...change, version, dryRun: options.dryRun }),
          ),
          { empty: 'Nothing had to be changed.' },
        );
        if (options.dryRun) context.output.note(dryRunNote);
      }),
  },
  {
    usage: 'flags history [flag]',
    summary: 'Who changed flags, when, from what, to what: newest first',
    options: [...where, ['--limit <count>', 'at most so many changes (default: 50)']],
    examples: ['core-infra --app dist/app.module.js flags history new-checkout --limit 5'],
    run: context =>
      withFlags(context, async editor => {
        const limit = integer('--limit', option(context, 'limit') ?? '50', 1);
        const flag = argument(context, 'flag') || undefined;
        const entries = await editor.history({ flag, limit });
        context.output.rows(
          entries.map(entry => row(changeCells(entry), entry)),
          { empty: 'Nothing was changed.' },
        );
      }),
  },
];

const dryRunNote = 'Nothing was changed: this was a dry run.';

function report({ output }: CliContext, edited: Edited, dryRun = false): void {
  const { flag, from, to, version } = edited;
  output.rows([row({ ...shortChange(edited), version }, { ...edited, dryRun })]);
  if (to?.state === 'DISABLED' && from?.state === 'DISABLED')
    output.note(`${flag} is disabled: nobody sees the change until core-infra flags enable ${flag}.`);
  if (dryRun) output.note(dryRunNote);
}
