import type { FlagProblem } from '../errors.js';
import type { FlagDefinition } from '../flag-document.js';
import { isObject } from './definition-problems.js';
import { escaped } from './places.js';

/** Parts that all rules may have together, with what `$ref`s stand for: a few that double each other would fill the memory. */
const MAX_PARTS = 300_000;

type Rules = Readonly<Record<string, unknown>>;

/** `{ "$ref": "name" }`, as flagd has it. */
function referredTo(node: object): string | undefined {
  const { $ref: name } = node as { $ref?: unknown };
  return typeof name === 'string' ? name : undefined;
}

/** Shared rules that do not exist, that refer to themselves, or that grow beyond all measure. */
export function* referenceProblems(flags: Rules, evaluators: Rules): Iterable<FlagProblem> {
  const sizes = new Map<string, number>();
  const problems: FlagProblem[] = [];

  /** How many parts a rule has, each `$ref` counted as what it stands for. */
  const sizeOf = (node: unknown, pointer: string, path: readonly string[]): number => {
    if (typeof node !== 'object' || node === null) return 1;
    const name = referredTo(node);
    if (name === undefined)
      return Object.entries(node).reduce(
        (sum, [key, part]) => sum + sizeOf(part, `${pointer}/${escaped(key)}`, path),
        1,
      );
    if (!Object.hasOwn(evaluators, name)) {
      problems.push({ pointer, message: `there is no ${JSON.stringify(name)} in $evaluators` });
      return 1;
    }
    if (path.includes(name)) {
      const circle = [...path.slice(path.indexOf(name)), name].join(' → ');
      problems.push({ pointer, message: `shared rules refer to each other in a circle: ${circle}` });
      return 1;
    }
    const known = sizes.get(name);
    if (known !== undefined) return known;
    const size = sizeOf(evaluators[name], `/$evaluators/${escaped(name)}`, [...path, name]);
    sizes.set(name, size);
    return size;
  };

  let sum = 0;
  for (const name of Object.keys(evaluators)) sizeOf({ $ref: name }, `/$evaluators/${escaped(name)}`, []);
  for (const [key, definition] of Object.entries(flags))
    if (isObject(definition)) sum += sizeOf(definition['targeting'], `/flags/${escaped(key)}/targeting`, []);
  yield* problems;
  if (sum > MAX_PARTS)
    yield { pointer: '/$evaluators', message: `they make rules of more than ${MAX_PARTS} parts, repeated as they are` };
}

/**
 * Definitions with the shared rules in place of their `$ref`s. flagd's own way of it is a replacement in the text, which leaves some of those
 * within shared rules, by the order that these stand in.
 */
export function resolved(
  flags: Readonly<Record<string, FlagDefinition>>,
  evaluators: Rules = {},
): Record<string, FlagDefinition> {
  const known = new Map<string, unknown>();
  const resolve = (node: unknown): unknown => {
    if (typeof node !== 'object' || node === null) return node;
    if (Array.isArray(node)) return node.map(resolve);
    const name = referredTo(node);
    if (name === undefined || !Object.hasOwn(evaluators, name))
      return Object.fromEntries(Object.entries(node).map(([key, part]) => [key, resolve(part)]));
    if (!known.has(name)) known.set(name, resolve(evaluators[name]));
    return known.get(name);
  };
  if (Object.keys(evaluators).length === 0) return { ...flags };
  return Object.fromEntries(
    Object.entries(flags).map(([key, definition]) => [
      key,
      definition.targeting === undefined ? definition : { ...definition, targeting: resolve(definition.targeting) },
    ]),
  );
}
