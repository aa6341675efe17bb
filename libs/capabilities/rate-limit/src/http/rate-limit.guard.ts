import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { LimitEnforcer, type Stage, type Verdict } from '../enforcement/limit.enforcer.js';
import { policyField, rateLimitField, retryAfterField } from './rate-limit.headers.js';

/** One for all guards of a request or message: Nest hands each of them the same context. */
const verdicts = new WeakMap<ExecutionContext, Verdict>();

/**
 * Decides limits by user, or by a function, after the guards that are named before it: `@UseGuards(AuthGuard, RateLimitGuard)`. All other
 * limits are decided without it, before the handler's guards.
 */
@Injectable()
export class RateLimitGuard implements CanActivate {
  protected readonly stage: Stage = 'last';

  constructor(
    private readonly enforcer: LimitEnforcer,
    private readonly host: HttpAdapterHost,
  ) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    let verdict = verdicts.get(execution);
    // The module may be imported twice, and a guard named on class and handler.
    if (verdict?.stages.has(this.stage)) return true;
    if (!verdict) verdicts.set(execution, (verdict = { windows: [], stages: new Set() }));
    verdict.stages.add(this.stage);
    try {
      await this.enforcer.enforceHandler(execution, this.stage, RateLimitGuard, verdict);
    } finally {
      if (execution.getType() === 'http') this.announce(execution, verdict);
    }
    return true;
  }

  /** Headers are set before the handler runs, so that every answer has them, whatever its status. */
  private announce(execution: ExecutionContext, { windows, retryAfterMs }: Verdict): void {
    const response = execution.switchToHttp().getResponse<object>();
    const set = (name: string, value: string): unknown => this.host.httpAdapter.setHeader(response, name, value);
    if (windows.length > 0) {
      set('RateLimit-Policy', policyField(windows));
      set('RateLimit', rateLimitField(windows, retryAfterMs));
    }
    if (retryAfterMs !== undefined && Number.isFinite(retryAfterMs)) set('Retry-After', retryAfterField(retryAfterMs));
  }
}

/** Runs before every handler of the app. */
@Injectable()
export class GlobalRateLimitGuard extends RateLimitGuard {
  protected override readonly stage = 'first';
}
