import type { CliCommand, CliContext } from '@core-infra/kernel';
import { summaryOf, wholeOf } from '../admin/letter-view.js';
import { DeadLettersOutOfReachError } from '../admin/errors.js';
import type { DeadLetterDesk, Selection } from '../admin/dead-letter-desk.js';
import type { DeadLetter } from '../stores/dead-letters.js';
import { countOf, filterOf, filters, rateOf, selecting, selectionOf, text, where } from './selection.js';
import { dlqExitCodes, withDesk } from './with-desk.js';

const all = ['--all', 'every one, without a filter'] as const;
const none = 'There are no such dead letters.';

export const commands: readonly CliCommand[] = [
  {
    usage: 'dlq list',
    summary: 'Messages that groups have given up, oldest first',
    options: [
      ...where,
      ...filters,
      ['--limit <count>', 'at most so many (default: 50)'],
      ['--after <id>', 'from the one behind this'],
    ],
    examples: ['core-infra --app dist/app.module.js dlq list --group stock --since 2h'],
    run: context =>
      withDesk(context, async ({ desk }) => {
        const limit = countOf(text(context, 'limit') ?? '50', '--limit');
        const after = text(context, 'after');
        const filter = filterOf(context);
        const letters = await desk.list(filter, { limit, ...(after !== undefined && { after }) }, context.signal);
        context.output.rows(letters.map(rowOf), { empty: none });
        if (letters.length === limit)
          context.output.note(`There may be more: core-infra dlq list --after ${letters.at(-1)!.id}`);
      }),
  },
  {
    usage: 'dlq show <id>',
    summary: 'A dead letter with everything that came: headers, body, error',
    options: where,
    examples: ['core-infra --app dist/app.module.js dlq show 019ac8f2-7a10-7c31-9b1e-3a3f0c1d2e4f'],
    run: context =>
      withDesk(context, async ({ desk }) => {
        const whole = wholeOf(await desk.get(context.args['id'] as string, context.signal));
        context.output.json(whole);
        context.output.text(JSON.stringify(whole, null, 2));
      }),
  },
  {
    usage: 'dlq replay [ids...]',
    summary: 'Send messages to the group that gave them up, and to no other; the outbox’s are published again',
    options: [...selecting, all, ['--rate <rate>', 'at most so many a second: 50/s']],
    examples: [
      'core-infra --app dist/app.module.js dlq replay --group stock --error INFRA_HANDLER_TIMEOUT --rate 50/s',
    ],
    run: context =>
      withDesk(context, async ({ desk, reachesOthers }) => {
        const selection = selectionOf(context);
        const rate = text(context, 'rate');
        const perSecond = rate === undefined ? {} : { perSecond: rateOf(rate) };
        if (context.options['dryRun'] === true) return rehearse(context, desk, selection, 'replayed');
        if (!reachesOthers) throw new DeadLettersOutOfReachError('Nobody would receive what is replayed from here');
        const { replayed, gone, refused } = await desk.replay(selection, { ...perSecond, signal: context.signal });
        context.output.rows([{ replayed, refused: refused.length, ...(gone > 0 && { gone }) }]);
        if (gone > 0)
          context.output.note(
            `${gone} were sent though somebody else had removed them meanwhile: they may come twice.`,
          );
        for (const { id, error } of refused) context.output.note(`${id} stays: ${error.message}`);
        return refused.length > 0 ? dlqExitCodes.refused : 0;
      }),
  },
  {
    usage: 'dlq discard [ids...]',
    summary: 'Remove dead letters for good',
    options: [...selecting, all],
    examples: ['core-infra --app dist/app.module.js dlq discard --reason undecodable --until 30d --dry-run'],
    run: context =>
      withDesk(context, async ({ desk }) => {
        const selection = selectionOf(context);
        if (context.options['dryRun'] === true) return rehearse(context, desk, selection, 'discarded');
        context.output.rows([{ discarded: await desk.discard(selection, context.signal) }]);
        return 0;
      }),
  },
  {
    usage: 'dlq export',
    summary: 'Dead letters with everything that came, as a JSON document on each line',
    options: [...where, ...filters, ['--limit <count>', 'at most so many (default: all)']],
    examples: ['core-infra --app dist/app.module.js dlq export --group stock > dead.jsonl'],
    run: context =>
      withDesk(context, async ({ desk }) => {
        const limit = text(context, 'limit');
        const most = limit === undefined ? {} : { most: countOf(limit, '--limit') };
        for await (const page of desk.select({ filter: filterOf(context), ...most }, context.signal))
          for (const letter of page) context.output.text(JSON.stringify(wholeOf(letter)), { always: true });
      }),
  },
];

async function rehearse(
  { output, signal }: CliContext,
  desk: DeadLetterDesk,
  selection: Selection,
  done: string,
): Promise<number> {
  const rows: Record<string, unknown>[] = [];
  for await (const page of desk.select(selection, signal)) rows.push(...page.map(rowOf));
  output.rows(rows, { empty: none });
  output.note(`Nothing was ${done}: this was a dry run.`);
  return 0;
}

/** Short in a table; with `--json` everything but what came. */
function rowOf(letter: DeadLetter): Record<string, unknown> {
  const view = summaryOf(letter);
  const { id, group, topic, key = '', reason, attempts, lastAttemptAt, error } = view;
  const row = {
    id,
    group,
    topic,
    key: key.slice(0, 40),
    reason,
    error: error.code ?? error.name,
    attempts,
    lastAttemptAt,
  };
  return Object.defineProperty(row, 'toJSON', { value: () => view });
}
