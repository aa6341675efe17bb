import type { Decision, WindowState } from '../rate-limiter.js';
import type { CheckedRule } from './limit-rule.js';

/** A decision in the words of the port. @param levels how full the windows are, with what was taken */
export function decided(
  rule: CheckedRule,
  levels: readonly number[],
  retryAfterMs: number,
  by: Decision['by'],
): Decision {
  const windows: WindowState[] = [];
  for (let index = 0; index < levels.length; index += 1) {
    const { limit, windowMs } = rule.windows[index]!;
    const level = levels[index]!;
    windows.push({
      limit,
      windowMs,
      remaining: Math.max(0, Math.floor((limit * windowMs - level) / windowMs)),
      resetMs: Math.ceil(level / limit),
    });
  }
  return { allowed: retryAfterMs === 0, retryAfterMs, windows, by };
}
