import type { FlagProblem } from '../errors.js';
import type { FlagDefinition } from '../flag-document.js';
import { escaped } from './places.js';

/** A flag that must be on, or give a certain variant, for another one to be evaluated. */
export interface Prerequisite {
  readonly flag: string;
  /** Without one, the flag's value must be `true`. */
  readonly variant?: string;
}

/** Reads `metadata.requires`: `"payments, theme=dark"`. */
export function prerequisitesOf({ metadata }: FlagDefinition): Prerequisite[] {
  const { requires } = metadata ?? {};
  if (typeof requires !== 'string') return [];
  return requires.split(',').map(part => {
    const [flag = '', variant] = part.split('=', 2).map(word => word.trim());
    return variant === undefined ? { flag } : { flag, variant };
  });
}

/** Prerequisites that no flag can meet: unknown flags and variants, and circles. */
export function* prerequisiteProblems(flags: Readonly<Record<string, FlagDefinition>>): Iterable<FlagProblem> {
  const all = new Map(Object.entries(flags).map(([key, definition]) => [key, prerequisitesOf(definition)]));
  for (const [key, prerequisites] of all) {
    const pointer = `/flags/${escaped(key)}/metadata/requires`;
    const requires = flags[key]?.metadata?.['requires'];
    if (requires !== undefined && typeof requires !== 'string')
      yield { pointer, message: 'must be names of flags, parted by commas' };
    for (const { flag, variant } of prerequisites) {
      const required = all.has(flag) ? flags[flag] : undefined;
      if (!required) yield { pointer, message: `there is no flag ${JSON.stringify(flag)}` };
      else if (variant !== undefined && !Object.hasOwn(required.variants, variant))
        yield { pointer, message: `the flag ${JSON.stringify(flag)} has no variant ${JSON.stringify(variant)}` };
      else if (variant === undefined && !Object.values(required.variants).includes(true))
        yield {
          pointer,
          message: `the flag ${JSON.stringify(flag)} is never true: name the variant, as in flag=variant`,
        };
    }
  }
  const { circles, order } = walked(all);
  for (const circle of circles) {
    const pointer = `/flags/${escaped(circle[0]!)}/metadata/requires`;
    yield { pointer, message: `the flags require each other in a circle: ${[...circle, circle[0]].join(' → ')}` };
  }
  if (circles.length > 0) return;
  const asked = new Map<string, number>();
  for (const key of order) {
    const sum = (all.get(key) ?? []).reduce((of, { flag }) => of + (asked.get(flag) ?? 0), 1);
    asked.set(key, sum);
    if (sum <= MAX_ASKED) continue;
    const pointer = `/flags/${escaped(key)}/metadata/requires`;
    return yield {
      pointer,
      message: `more than ${MAX_ASKED} flags are asked for it, by way of those that it requires`,
    };
  }
}

/** Flags that require two that require two are soon more than can be asked. */
const MAX_ASKED = 10_000;

/** Each circle once; and all flags, behind those that they require. */
function walked(all: ReadonlyMap<string, readonly Prerequisite[]>): { circles: string[][]; order: Iterable<string> } {
  const found: string[][] = [];
  const done = new Set<string>();
  for (const start of all.keys()) {
    // A stack of its own: a chain of flags may be longer than the one of calls.
    const path: { key: string; rest: Prerequisite[] }[] = [];
    const onPath = new Set<string>();
    const enter = (key: string) => {
      path.push({ key, rest: [...(all.get(key) ?? [])] });
      onPath.add(key);
    };
    if (!done.has(start)) enter(start);
    while (path.length > 0) {
      const top = path.at(-1)!;
      const next = top.rest.pop();
      if (!next) {
        path.pop();
        onPath.delete(top.key);
        done.add(top.key);
      } else if (onPath.has(next.flag)) {
        const keys = path.map(({ key }) => key);
        found.push(keys.slice(keys.indexOf(next.flag)));
      } else if (!done.has(next.flag)) enter(next.flag);
    }
  }
  return { circles: found, order: done };
}
