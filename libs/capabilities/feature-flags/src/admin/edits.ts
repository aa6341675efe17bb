import { withRollout } from '../evaluation/rollout.js';
import type { FlagDefinition, FlagValue } from '../flag-document.js';
import { FlagEditError, UnknownFlagError } from './errors.js';

/**
 * Makes the new definition of the one that is in force; `null` removes it.
 * @param known names of all flags
 */
export type Edit = (now: FlagDefinition | undefined, flag: string, known: readonly string[]) => FlagDefinition | null;

/** Switches a flag on or off as a whole: off, every caller gets its own fallback. */
export function setState(state: FlagDefinition['state']): Edit {
  return existing(now => ({ ...now, state }));
}

/** A boolean flag that is on for so many percent of users: those who are in stay in while the percentage grows. */
export function setRollout(percent: number): Edit {
  return existing((now, flag) => {
    // Rules that give no place for a percentage would be lost.
    if (!canHoldRollout(now.targeting))
      throw new FlagEditError(
        `The rules of ${JSON.stringify(flag)} have no place for a percentage.`,
        'Write them as { "if": [condition, "on", …] }, or define the flag anew with a "fractional".',
      );
    try {
      return withRollout(now, percent);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new FlagEditError(error.message, '', { cause: error });
    }
  });
}

/** What whoever no rule decides for gets: a variant by its name or its value. A flag that is not there becomes one of `true` and `false`. */
export function setDefault(wanted: string): Edit {
  return (now, flag, known) => {
    const isBoolean = wanted === 'true' || wanted === 'false' || wanted === 'on' || wanted === 'off';
    if (!now && isBoolean) return switchOf(wanted === 'true' || wanted === 'on');
    if (!now) throw new UnknownFlagError(flag, known);
    const name = variantOf(now.variants, wanted);
    if (name !== undefined) return { ...now, defaultVariant: name };
    const names = Object.keys(now.variants).join(', ');
    throw new FlagEditError(
      `The flag ${JSON.stringify(flag)} has no variant ${JSON.stringify(wanted)}.`,
      `It has ${names}.`,
    );
  };
}

export function replaceBy(definition: FlagDefinition): Edit {
  return () => definition;
}

export const remove: Edit = () => null;

function canHoldRollout(targeting: unknown): boolean {
  if (typeof targeting !== 'object' || targeting === null || Object.keys(targeting).length === 0) return true;
  return 'if' in targeting || JSON.stringify(targeting).includes('"fractional":');
}

function existing(edit: (now: FlagDefinition, flag: string) => FlagDefinition): Edit {
  return (now, flag, known) => {
    if (!now) throw new UnknownFlagError(flag, known);
    return edit(now, flag);
  };
}

function switchOf(on: boolean): FlagDefinition {
  return { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: on ? 'on' : 'off' };
}

function variantOf(variants: Readonly<Record<string, FlagValue>>, wanted: string): string | undefined {
  if (Object.hasOwn(variants, wanted)) return wanted;
  return Object.keys(variants).find(name => String(variants[name]) === wanted);
}
