import type { Decision, FailurePolicy } from '../rate-limiter.js';
import { decided } from '../gcra/decision.js';
import type { CheckedRule } from '../gcra/limit-rule.js';
import type { ProcessLimits } from '../gcra/process-limits.js';

/** After how long a caller whom `closed` refuses may try again, in milliseconds: about how long it takes to notice that Redis is back. */
const RETRY_AFTER_MS = 1_000;

/** Decides without the store, by the policy of the rule. */
export function decideWithout(
  policy: FailurePolicy,
  limits: ProcessLimits,
  rule: CheckedRule,
  caller: string,
  cost: number,
  now: number,
): Decision {
  if (policy === 'local') return limits.consume(rule, caller, cost, now, 'local');
  const never = cost > rule.smallestLimit ? Infinity : 0;
  if (policy === 'open')
    return decided(
      rule,
      rule.windows.map(() => 0),
      never,
      'open',
    );
  const full = rule.windows.map(({ limit, windowMs }) => limit * windowMs);
  const refused = decided(rule, full, Math.max(never, RETRY_AFTER_MS), 'closed');
  return { ...refused, windows: refused.windows.map(window => ({ ...window, resetMs: RETRY_AFTER_MS })) };
}
