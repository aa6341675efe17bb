import type { FlagDefinition } from '../flag-document.js';

/**
 * The weights of a rollout to so many percent. `on` comes first, and its share is a boundary on a line that every user has a fixed place on:
 * a boundary that only moves up never switches a user back, whatever the sum of the weights is.
 * @param percent from 0 to 100, with up to three decimals
 */
export function rolloutWeights(percent: number): { on: number; off: number } {
  const total = Number.isInteger(percent) ? 100 : 100_000;
  const on = Math.round((percent * total) / 100);
  return { on, off: total - on };
}

export function rolloutRule(percent: number, on: string = 'on', off: string = 'off'): { fractional: unknown[] } {
  const weights = rolloutWeights(percent);
  return {
    fractional: [
      [on, weights.on],
      [off, weights.off],
    ],
  };
}

/**
 * A boolean flag with another percentage: the rollout within its rules is moved, and everything else stays; where it has no rollout yet, it
 * gets one behind its rules. Users who are in stay in while the percentage grows.
 * @param percent from 0 to 100
 * @throws RangeError when the flag has other variants than one of `true` and one of `false`, or the percentage is none
 */
export function withRollout(definition: FlagDefinition, percent: number): FlagDefinition {
  if (!(percent >= 0 && percent <= 100)) throw new RangeError('A rollout is a percentage from 0 to 100.');
  const names = Object.keys(definition.variants);
  const on = names.find(name => definition.variants[name] === true);
  const off = names.find(name => definition.variants[name] === false);
  if (on === undefined || off === undefined || names.length !== 2)
    throw new RangeError('Only a flag with one variant of true and one of false can be rolled out by a percentage.');
  const rule = rolloutRule(percent, on, off);
  return { ...definition, defaultVariant: off, targeting: moved(definition.targeting, rule, on, off) };
}

function moved(targeting: unknown, rule: { fractional: unknown[] }, on: string, off: string): unknown {
  if (isEmpty(targeting)) return rule;
  let found = false;
  const walk = (node: unknown): unknown => {
    if (typeof node !== 'object' || node === null) return node;
    if (Array.isArray(node)) return node.map(walk);
    const parts = (node as { fractional?: unknown }).fractional;
    const isOurs = Array.isArray(parts) && bucketNames(parts).every(name => name === on || name === off);
    if (!isOurs) return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, walk(value)]));
    found = true;
    // Order, and what users are told apart by, stay: others would give everybody another place on the line.
    const [first] = bucketNames(parts);
    const buckets = first === off ? rule.fractional.toReversed() : rule.fractional;
    return { fractional: [...parts.filter(part => !Array.isArray(part)), ...buckets] };
  };
  const walked = walk(targeting);
  if (found) return walked;
  const branches = (targeting as { if?: unknown }).if;
  if (Array.isArray(branches) && branches.length % 2 === 1) return { if: [...branches.slice(0, -1), rule] };
  if (Array.isArray(branches)) return { if: [...branches, rule] };
  return rule;
}

function bucketNames(parts: readonly unknown[]): unknown[] {
  return parts.flatMap(part => (Array.isArray(part) ? [part[0]] : []));
}

function isEmpty(targeting: unknown): boolean {
  return typeof targeting !== 'object' || targeting === null || Object.keys(targeting).length === 0;
}
