import { InvalidLimitError } from '../errors.js';
import { checkLimitRule } from '../gcra/limit-rule.js';
import type { LimitRule, LimitWindow } from '../rate-limiter.js';
import type { LimitOptions } from './limit.options.js';

/** What a decorated place is: a controller or a method of requests or messages, or a method of a service. */
export type PlaceKind = 'http' | 'message' | 'method';

/** The name of the configuration's own limit. */
export const DEFAULT_NAME = 'default';

/** Stands in for a name that a place gives its limits later, or that is no good. */
const UNNAMED = '_';

const ways: Readonly<Record<PlaceKind, readonly string[]>> = {
  http: ['ip', 'user', 'api-key', 'everyone'],
  message: ['user', 'everyone'],
  method: ['user', 'everyone'],
};

/** A limit's windows, in the order in which they are written. */
export function windowsOf(options: LimitOptions): readonly LimitWindow[] {
  const { limit, windowMs } = options as Partial<LimitWindow>;
  const own = limit === undefined && windowMs === undefined ? [] : [{ limit, windowMs } as LimitWindow];
  return [...own, ...(options.windows ?? [])].map(window => ({ limit: window.limit, windowMs: window.windowMs }));
}

/** Everything that cannot be meant by a limit in such a place, in words. */
export function* problemsOf(options: LimitOptions, kind: PlaceKind): Generator<string> {
  const { by, cost, name, onFailure, skipIf } = options;
  const windows = windowsOf(options);
  yield* ruleProblems({ name: UNNAMED, windows, onFailure });
  const smallest = Math.min(...windows.map(({ limit }) => limit));
  if (typeof cost === 'number' && cost > smallest)
    yield `cost is ${cost}, above the limit of ${smallest}: no call would ever pass`;
  if (by !== undefined && typeof by !== 'function' && !ways[kind].includes(by))
    yield `by may be ${ways[kind].join(', ')} or a function here, and is ${shown(by)}`;
  if (cost !== undefined && typeof cost !== 'function' && !(Number.isFinite(cost) && cost >= 0))
    yield `cost must be a number of at least 0 or a function, and is ${shown(cost)}`;
  if (name !== undefined && !/^[\w.:-]{1,64}$/.test(name))
    yield `name must be 1 to 64 letters, digits and ". _ : -", and is ${shown(name)}`;
  if (name === DEFAULT_NAME) yield `name may not be "${DEFAULT_NAME}", which is the limit of the configuration`;
  if (skipIf !== undefined && typeof skipIf !== 'function') yield `skipIf must be a function, and is ${shown(skipIf)}`;
}

/** A return type that the compiler wrote down and that is no promise: such a method cannot be made to wait. */
export function* returnProblems(target: object, key: string): Generator<string> {
  const type: unknown = Reflect.getMetadata('design:returntype', target, key);
  if (typeof type === 'function' && type !== Promise && type !== Object)
    yield `it returns ${type.name}, and a method of a service that is limited must return a promise`;
}

/** What the limiter itself would refuse. */
export function* ruleProblems(rule: LimitRule): Generator<string> {
  try {
    checkLimitRule(rule);
  } catch (error) {
    if (!(error instanceof InvalidLimitError)) throw error;
    yield error.message.replace(`The rate limit "${UNNAMED}" has `, '');
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
