import type { LimitWindow } from '../rate-limiter.js';

/**
 * GCRA as a leaky bucket, the other of its two equal forms in ITU-T I.371: instead of a theoretical arrival time, how full each window is. A
 * unit weighs `windowMs`, a millisecond drains `limit`, and full is `limit × windowMs`: whole numbers throughout, so nothing drifts. The
 * script in Lua does the same sums.
 */
export interface Usage {
  /** The millisecond that the levels are of. */
  readonly at: number;
  /** How full each window was, from 0 to `limit × windowMs`. */
  readonly levels: readonly number[];
}

export interface MutableUsage {
  at: number;
  readonly levels: number[];
}

/** How full the windows are now. A clock that went back drains nothing. */
export function levelsAt(windows: readonly LimitWindow[], usage: Usage | undefined, now: number): number[] {
  if (!usage) return windows.map(() => 0);
  const passed = Math.max(0, now - usage.at);
  return windows.map(({ limit }, index) => Math.max(0, usage.levels[index]! - passed * limit));
}

/** The same in place: what has drained by now is gone. */
export function drain(windows: readonly LimitWindow[], usage: MutableUsage, now: number): void {
  const passed = now - usage.at;
  if (passed <= 0) return;
  const { levels } = usage;
  for (let index = 0; index < windows.length; index += 1)
    levels[index] = Math.max(0, levels[index]! - passed * windows[index]!.limit);
  usage.at = now;
}

/** In how many milliseconds `cost` units fit into every window: 0 when they do now, `Infinity` when they never will. */
export function waitMs(windows: readonly LimitWindow[], levels: readonly number[], cost: number): number {
  let longest = 0;
  for (let index = 0; index < windows.length; index += 1) {
    const { limit, windowMs } = windows[index]!;
    if (cost > limit) return Infinity;
    const excess = levels[index]! + cost * windowMs - limit * windowMs;
    if (excess > 0) longest = Math.max(longest, Math.ceil(excess / limit));
  }
  return longest;
}

/** Takes `cost` units from levels as they are now. @returns in how many milliseconds nothing of it is left */
export function fill(windows: readonly LimitWindow[], levels: number[], cost: number): number {
  let longest = 0;
  for (let index = 0; index < windows.length; index += 1) {
    const { limit, windowMs } = windows[index]!;
    longest = Math.max(longest, Math.ceil((levels[index]! += cost * windowMs) / limit));
  }
  return longest;
}

/** In how many milliseconds nothing of it is left. */
export function drainMs(windows: readonly LimitWindow[], levels: readonly number[]): number {
  let longest = 0;
  for (let index = 0; index < windows.length; index += 1) {
    longest = Math.max(longest, Math.ceil(levels[index]! / windows[index]!.limit));
  }
  return longest;
}
