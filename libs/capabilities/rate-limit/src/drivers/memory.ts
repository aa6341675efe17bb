import type { Clock, DriverSite, Opened } from '@core-infra/kernel';
import { DecisionEvents } from '../events/decisions.js';
import { callerId } from '../gcra/caller-id.js';
import { checkCost, checkLimitRule } from '../gcra/limit-rule.js';
import { ProcessLimits } from '../gcra/process-limits.js';
import { withConfig } from '../limiter-config.js';
import type { RateLimitConfig } from '../rate-limit.config.js';
import { type ConsumeOptions, type Decision, type LimitRule, RateLimiter } from '../rate-limiter.js';

/** Counts in this process. */
export function memory(config: RateLimitConfig, at: DriverSite): Opened<RateLimiter> {
  const limits = new ProcessLimits(config.maxCallers);
  return {
    client: withConfig(new MemoryRateLimiter(limits, at.clock, new DecisionEvents(at.id)), config),
    check: () => ({ callers: limits.callers }),
  };
}

class MemoryRateLimiter extends RateLimiter {
  constructor(
    private readonly limits: ProcessLimits,
    private readonly clock: Clock,
    private readonly events: DecisionEvents,
  ) {
    super();
  }

  // eslint-disable-next-line typescript/require-await -- a rule that makes no sense rejects
  override async consume(given: LimitRule, key: string, { cost = 1 }: ConsumeOptions = {}): Promise<Decision> {
    const rule = checkLimitRule(given);
    const now = this.clock.monotonic();
    const decision = this.limits.consume(rule, callerId(key), checkCost(rule, cost), now, 'memory');
    return this.events.publish(rule.name, decision);
  }

  // eslint-disable-next-line typescript/require-await -- as above
  override async reset(rule: LimitRule, key: string): Promise<void> {
    this.limits.forget(checkLimitRule(rule), callerId(key));
  }
}
