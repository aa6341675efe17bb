import type { Decision } from '../rate-limiter.js';
import type { CheckedRule } from './limit-rule.js';

/** A decision in the words of the port. @param levels how full the windows are, with what was taken */
export function decided(
  rule: CheckedRule,
  levels: readonly number[],
  retryAfterMs: number,
  by: Decision['by'],
): Decision {
  return {
    allowed: retryAfterMs === 0,
    retryAfterMs,
    windows: rule.windows.map(({ limit, windowMs }, index) => {
      const level = levels[index]!;
      return {
        limit,
        windowMs,
        remaining: Math.max(0, Math.floor((limit * windowMs - level) / windowMs)),
        resetMs: Math.ceil(level / limit),
      };
    }),
    by,
  };
}
