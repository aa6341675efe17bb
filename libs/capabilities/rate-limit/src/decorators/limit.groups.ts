import type { FailurePolicy, LimitRule, LimitWindow } from '../rate-limiter.js';
import { windowsOf } from './limit.problems.js';
import type { LimitBy, OfCall, LimitOptions } from './limit.options.js';

/** What limits must have in common to be decided together: the caller, and what a call takes. */
interface Terms {
  readonly by: LimitBy | undefined;
  readonly cost: number | OfCall<number> | undefined;
  readonly skipIf: OfCall<boolean> | undefined;
  readonly onFailure: FailurePolicy | undefined;
}

/** A limit of a place, with the name that it was given or has by its place. */
export interface NamedLimit extends Terms {
  readonly name: string;
  readonly windows: readonly LimitWindow[];
}

/** Limits that are decided together, in one round trip. */
export interface LimitGroup extends Terms {
  readonly rule: LimitRule;
  /** For each of the rule's windows, the limit that it belongs to. */
  readonly limits: readonly string[];
  /** For each of the rule's windows, what it is called in headers. */
  readonly policies: readonly string[];
}

/** Gives the limits of a place their names; those without a name and on the same terms are one. */
export function nameLimits(stated: readonly LimitOptions[], ofPlace: string): NamedLimit[] {
  const named: NamedLimit[] = [];
  let unnamed = 0;
  for (const options of stated) {
    const { by, cost, skipIf, onFailure } = options;
    const limit = { by, cost, skipIf, onFailure, windows: windowsOf(options) };
    const like =
      options.name === undefined ? named.findIndex(other => !isGiven(other, stated) && onSameTerms(other, limit)) : -1;
    if (like >= 0) named[like] = { ...named[like]!, windows: [...named[like]!.windows, ...limit.windows] };
    else if (options.name !== undefined) named.push({ ...limit, name: options.name });
    else named.push({ ...limit, name: (unnamed += 1) === 1 ? ofPlace : `${ofPlace}:${unnamed}` });
  }
  return named;
}

function isGiven({ name }: NamedLimit, stated: readonly LimitOptions[]): boolean {
  return stated.some(options => options.name === name);
}

/**
 * Puts the limits of a place together as far as that changes nothing: a limit that other places share stays by itself there, unless
 * it has the same company in all of them, since what is decided together is also counted together.
 */
export function groupLimits(limits: readonly NamedLimit[], places: readonly (readonly NamedLimit[])[]): LimitGroup[] {
  const groups: NamedLimit[][] = [];
  const alike = (limit: NamedLimit): boolean =>
    places.every(
      place => !place.some(({ name }) => name === limit.name) || companyOf(limit, place) === companyOf(limit, limits),
    );
  for (const limit of limits) {
    const joined = alike(limit) && groups.find(group => alike(group[0]!) && mayJoin(group, limit));
    if (joined) joined.push(limit);
    else groups.push([limit]);
  }
  return groups.map(groupOf);
}

/** A group of a single limit, or of several on the same terms. */
export function groupOf(limits: readonly NamedLimit[]): LimitGroup {
  const { by, cost, skipIf, onFailure } = limits[0]!;
  const parts = limits.flatMap(limit => limit.windows.map(window => ({ limit, window })));
  return {
    by,
    cost,
    skipIf,
    onFailure,
    rule: {
      name: limits.map(({ name }) => name).join('/'),
      windows: parts.map(({ window }) => window),
      ...(onFailure && { onFailure }),
    },
    limits: parts.map(({ limit }) => limit.name),
    policies: parts.map(({ limit, window }) => policyName(limit, window)),
  };
}

/** As far as the limiter takes rules: windows of different lengths, and a name that is not too long. */
function mayJoin(group: readonly NamedLimit[], limit: NamedLimit): boolean {
  if (!onSameTerms(group[0]!, limit)) return false;
  const windows = [...group, limit].flatMap(member => member.windows.map(({ windowMs }) => windowMs));
  const { length } = [...group, limit].map(({ name }) => name).join('/');
  return new Set(windows).size === windows.length && windows.length <= 8 && length <= 100;
}

function companyOf(limit: NamedLimit, place: readonly NamedLimit[]): string {
  return place
    .filter(other => onSameTerms(other, limit))
    .map(({ name }) => name)
    .join('/');
}

function onSameTerms(one: Terms, other: Terms): boolean {
  return (
    one.by === other.by && one.cost === other.cost && one.skipIf === other.skipIf && one.onFailure === other.onFailure
  );
}

function policyName({ name, windows }: NamedLimit, { windowMs }: LimitWindow): string {
  if (windows.length === 1) return name;
  return `${name}-${windowMs % 1_000 === 0 ? `${windowMs / 1_000}s` : `${windowMs}ms`}`;
}
