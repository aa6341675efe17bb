import { InvalidLimitError } from '../errors.js';
import type { FailurePolicy, LimitRule, LimitWindow } from '../rate-limiter.js';

/** A rule that was found good, with what each decision needs of it. */
export interface CheckedRule {
  readonly name: string;
  readonly windows: readonly LimitWindow[];
  readonly onFailure: FailurePolicy | undefined;
  /** Names what is counted: the rule's name and the lengths of its windows. Limits are left out, so that a change of one keeps the count. */
  readonly id: string;
  /** What the script is told of it: how many windows, and limit and length of each. */
  readonly numbers: readonly number[];
  /** The levels of who has used nothing. */
  readonly unused: readonly number[];
  /** More than this at once never passes. */
  readonly smallestLimit: number;
}

const MOST_WINDOWS = 8;
/** Levels and costs are sums of two such products at most, and those have to be exact in a double. */
const LARGEST_PRODUCT = 2 ** 52;
const FIX_WINDOW = 'Write { limit: 5, windowMs: 60_000 } for five a minute.';

const checked = new WeakMap<LimitRule, CheckedRule>();

/**
 * Checks a rule, once for each object: to be called where it is declared, so that a mistake shows at boot.
 * @throws InvalidLimitError
 */
export function checkLimitRule(rule: LimitRule): CheckedRule {
  let found = checked.get(rule);
  if (!found) checked.set(rule, (found = check(rule)));
  return found;
}

/** @throws InvalidLimitError when it is not a whole number of at least 0 */
export function checkCost(rule: CheckedRule, cost: number): number {
  if (cost === Infinity || (Number.isInteger(cost) && cost >= 0)) return cost;
  const fix = 'A request costs 1 when nothing is said, and 0 to ask without taking.';
  throw new InvalidLimitError(`"${rule.name}"`, 'cost', 'a whole number of at least 0', shown(cost), fix);
}

function check(rule: LimitRule): CheckedRule {
  const { name, windows, onFailure } = rule;
  const refuse = (field: string, expected: string, got: unknown, fix: string): never => {
    throw new InvalidLimitError(shown(name), field, expected, shown(got), fix);
  };
  if (typeof name !== 'string' || !/^[\w.:/@-]{1,100}$/.test(name)) {
    refuse('name', '1 to 100 of A-Z a-z 0-9 _ . : / @ -', name, 'Name it after what it protects: "login".');
  }
  if (!Array.isArray(windows) || windows.length === 0 || windows.length > MOST_WINDOWS) {
    refuse('windows', `a list of 1 to ${MOST_WINDOWS} windows`, windows, FIX_WINDOW);
  }
  for (const [index, { limit, windowMs }] of windows.entries()) {
    const at = `windows[${index}]`;
    if (!Number.isSafeInteger(limit) || limit < 1) {
      refuse(
        `${at}.limit`,
        'a whole number of at least 1',
        limit,
        `${FIX_WINDOW} To refuse everything, take the route away.`,
      );
    }
    if (!Number.isSafeInteger(windowMs) || windowMs < 1) {
      refuse(`${at}.windowMs`, 'a whole number of milliseconds, at least 1', windowMs, FIX_WINDOW);
    }
    if (limit * windowMs > LARGEST_PRODUCT) {
      refuse(
        `${at}.limit`,
        `at most ${Math.floor(LARGEST_PRODUCT / windowMs)} in ${windowMs} ms`,
        limit,
        'Take a shorter window.',
      );
    }
    if (windows.findIndex(other => other.windowMs === windowMs) !== index) {
      refuse(`${at}.windowMs`, 'a length that no other window has', windowMs, 'Keep the smaller limit of the two.');
    }
  }
  if (onFailure !== undefined && !['local', 'open', 'closed'].includes(onFailure)) {
    refuse('onFailure', '"local", "open" or "closed"', onFailure, 'Leave it out for the one of the configuration.');
  }
  return {
    name,
    windows: windows.map(({ limit, windowMs }) => Object.freeze({ limit, windowMs })),
    onFailure,
    id: `${name}:${windows.map(({ windowMs }) => windowMs).join(',')}`,
    numbers: [windows.length, ...windows.flatMap(({ limit, windowMs }) => [limit, windowMs])],
    unused: windows.map(() => 0),
    smallestLimit: Math.min(...windows.map(({ limit }) => limit)),
  };
}

function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
