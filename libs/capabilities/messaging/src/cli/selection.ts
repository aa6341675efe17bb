import type { CliContext } from '@core-infra/kernel';
import { DeadLetterRequestError } from '../admin/errors.js';
import { filterOf as filterOfTexts } from '../admin/request.js';
import type { Selection } from '../admin/dead-letter-desk.js';
import type { DeadLetterFilter } from '../stores/dead-letters.js';

export const where = [['--connection <name>', 'name of the bus, when it is not the default one']] as const;

export const filters = [
  ['--since <when>', 'given up since then: a time (2026-11-21T16:00Z), or how long ago (30m, 2h, 7d)'],
  ['--until <when>', 'given up until then'],
  ['--error <error>', 'code or name of the error'],
  ['--reason <reason>', 'attempts, age, not-retryable, undecodable, invalid, unknown-version or unpublishable'],
  ['--group <group>', 'of this group; "outbox" for what could not be published'],
  ['--topic <topic>', 'of this topic'],
  ['--key <key>', 'of this key'],
] as const;

export const selecting = [
  ...where,
  ...filters,
  ['--limit <count>', 'at most so many, the oldest first'],
  ['--dry-run', 'show which it would be, and change nothing'],
] as const;

export function text({ options }: CliContext, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function filterOf({ options }: CliContext): DeadLetterFilter {
  return filterOfTexts(options);
}

/**
 * Which letters a command changes. Never all of them by a slip.
 * @throws DeadLetterRequestError
 */
export function selectionOf(context: CliContext): Selection {
  const ids = context.args['ids'] as readonly string[] | undefined;
  const filter = filterOf(context);
  const isFiltered = Object.keys(filter).length > 0;
  const all = context.options['all'] === true;
  const limit = text(context, 'limit');
  const most = limit === undefined ? {} : { most: countOf(limit, '--limit') };
  if (ids && ids.length > 0) {
    if (isFiltered || all)
      throw new DeadLetterRequestError('Ids and filters are given together.', 'Choose one of them.');
    return { ids, ...most };
  }
  if (!isFiltered && !all)
    throw new DeadLetterRequestError(
      'It is not said which dead letters are meant.',
      'Name their ids, a filter such as --group, or --all.',
    );
  return { filter, ...most };
}

/** @throws DeadLetterRequestError */
export function countOf(value: string, option: string): number {
  const count = Number(value);
  if (/^\d{1,9}$/.test(value) && count > 0) return count;
  throw new DeadLetterRequestError(
    `${JSON.stringify(value)} is no number for ${option}.`,
    'Give a whole number from 1.',
  );
}

/** `50`, `50/s`, `0.5/s`. @throws DeadLetterRequestError */
export function rateOf(value: string): number {
  const digits = /^(\d{1,6}(?:\.\d{1,3})?)(?:\/s)?$/.exec(value)?.[1];
  if (digits !== undefined && Number(digits) > 0) return Number(digits);
  throw new DeadLetterRequestError(`${JSON.stringify(value)} is no rate.`, 'Give messages per second: --rate 50/s.');
}
