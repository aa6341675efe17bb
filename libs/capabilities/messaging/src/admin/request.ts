import type { DeadLetterFilter, DeadReason } from '../stores/dead-letters.js';
import type { Selection } from './dead-letter-desk.js';
import { DeadLetterRequestError } from './errors.js';

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const reasons: readonly DeadReason[] = [
  'attempts',
  'age',
  'not-retryable',
  'undecodable',
  'invalid',
  'unknown-version',
  'unpublishable',
];

/** A time, or how long ago it was: `2026-11-21T16:00Z`, `90s`, `30m`, `2h`, `7d`. @throws DeadLetterRequestError */
export function instantOf(value: string, name: string): number {
  const ago = /^(\d{1,9})([smhd])$/.exec(value);
  if (ago) return Date.now() - Number(ago[1]) * units[ago[2] as keyof typeof units];
  const at = /^\d{4}-\d{2}-\d{2}/.test(value) ? Date.parse(value) : NaN;
  if (!Number.isNaN(at)) return at;
  throw new DeadLetterRequestError(
    `${JSON.stringify(value)} is no time for ${name}.`,
    'Give one such as 2026-11-21T16:00:00Z, or how long ago: 30m, 2h, 7d.',
  );
}

/** @throws DeadLetterRequestError */
export function reasonOf(value: string, name: string): DeadReason {
  const reason = reasons.find(known => known === value);
  if (reason) return reason;
  throw new DeadLetterRequestError(
    `${JSON.stringify(value)} is no reason for ${name}.`,
    `There are ${reasons.join(', ')}.`,
  );
}

type Given = Readonly<Record<string, unknown>>;

/** The filter that a query or a body holds. @throws DeadLetterRequestError */
export function filterOf(given: Given): DeadLetterFilter {
  const text = (name: string): string | undefined => {
    const value = given[name];
    if (value === undefined || typeof value === 'string') return value;
    throw new DeadLetterRequestError(`"${name}" is no text.`, 'Give it once, as a text.');
  };
  const [group, topic, key, error, reason, since, until] = filterNames.map(text);
  return {
    ...(group !== undefined && { group }),
    ...(topic !== undefined && { topic }),
    ...(key !== undefined && { key }),
    ...(error !== undefined && { error }),
    ...(reason !== undefined && { reason: reasonOf(reason, '"reason"') }),
    ...(since !== undefined && { since: instantOf(since, '"since"') }),
    ...(until !== undefined && { until: instantOf(until, '"until"') }),
  };
}

const filterNames = ['group', 'topic', 'key', 'error', 'reason', 'since', 'until'] as const;
const orderNames = ['ids', 'filter', 'limit', 'perSecond', 'dryRun'];
const most = 1_000;

export interface Order {
  readonly selection: Selection;
  readonly perSecond?: number;
  readonly dryRun: boolean;
}

/** What is to be replayed or discarded. @throws DeadLetterRequestError */
export function orderOf(body: unknown): Order {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new DeadLetterRequestError('The body is no JSON object.', 'Send { "ids": […] } or { "filter": { … } }.');
  const { ids, filter, limit, perSecond, dryRun = false } = body as Given;
  const unknown = Object.keys(body).find(name => !orderNames.includes(name));
  if (unknown !== undefined)
    throw new DeadLetterRequestError(`There is no ${JSON.stringify(unknown)}.`, `There are ${orderNames.join(', ')}.`);
  if ((ids === undefined) === (filter === undefined))
    throw new DeadLetterRequestError(
      'It is not said which dead letters are meant.',
      'Send either "ids" or "filter"; an empty filter means all.',
    );
  if (ids !== undefined && !(Array.isArray(ids) && ids.every(id => typeof id === 'string')))
    throw new DeadLetterRequestError('"ids" is no list of texts.', 'Send ids as the list of dead letters shows them.');
  if (filter !== undefined && (typeof filter !== 'object' || filter === null || Array.isArray(filter)))
    throw new DeadLetterRequestError('"filter" is no JSON object.', `It may have ${filterNames.join(', ')}.`);
  const wrong = Object.keys((filter ?? {}) as object).find(name => !(filterNames as readonly string[]).includes(name));
  if (wrong !== undefined)
    throw new DeadLetterRequestError(
      `There is no filter ${JSON.stringify(wrong)}.`,
      `There are ${filterNames.join(', ')}.`,
    );
  if (typeof dryRun !== 'boolean') throw new DeadLetterRequestError('"dryRun" is true or false.', '');
  if (perSecond !== undefined && !(typeof perSecond === 'number' && perSecond > 0 && perSecond <= 1_000_000))
    throw new DeadLetterRequestError('"perSecond" is a number above 0.', '');
  return {
    selection: {
      ...(ids !== undefined ? { ids: ids as string[] } : { filter: filterOf(filter as Given) }),
      most: limitOf(limit, 100),
    },
    ...(perSecond !== undefined && { perSecond }),
    dryRun,
  };
}

/** From 1 to 1,000. @throws DeadLetterRequestError */
export function limitOf(given: unknown, preset: number): number {
  const limit = given === undefined ? preset : Number(given);
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return limit;
  throw new DeadLetterRequestError('"limit" is no number that may be asked for.', `Give one from 1 to ${most}.`);
}
