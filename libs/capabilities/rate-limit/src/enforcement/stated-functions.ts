import { Logger } from '@nestjs/common';
import type { LimitGroup } from '../decorators/limit.groups.js';
import type { OfCall } from '../decorators/limit.options.js';
import type { AnyCall } from './callers.js';

/** Between two log lines about the functions of one limit, in milliseconds. */
const LOG_EVERY_MS = 10_000;

/**
 * Asks the functions that limits state. They work on what was sent, which nobody has validated yet: one that fails is told in the log, and says
 * nothing, since a caller is not to be answered 500 for what the limiter makes of his request.
 */
export class StatedFunctions {
  private readonly logger = new Logger('RateLimit');
  private readonly loggedAt = new WeakMap<LimitGroup, number>();

  async ask<T>(group: LimitGroup, option: 'by' | 'cost' | 'skipIf', asked: OfCall<T>, call: AnyCall) {
    try {
      return await asked(call);
    } catch (error) {
      this.report(group, option, error);
      return undefined;
    }
  }

  private report(group: LimitGroup, option: 'by' | 'cost' | 'skipIf', error: unknown): void {
    const now = performance.now();
    if (now - (this.loggedAt.get(group) ?? -Infinity) < LOG_EVERY_MS) return;
    this.loggedAt.set(group, now);
    const limit = group.rule.name;
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
    this.logger.error({ msg: `${option} of the rate limit ${limit} failed, so ${instead[option]}: ${reason}`, limit });
  }
}

const instead = {
  by: 'the caller counts as one who is not known',
  cost: 'the call counts as 1',
  skipIf: 'the call is counted',
} as const;
