import type { DriverSite } from '@core-infra/kernel';
import { DecisionEvents } from '../events/decisions.js';
import { decideWithout } from '../failure/fail-over.js';
import { Patience } from '../failure/patience.js';
import { PendingResets } from '../failure/pending-resets.js';
import { callerId } from '../gcra/caller-id.js';
import { decided } from '../gcra/decision.js';
import { checkCost, type CheckedRule, checkLimitRule } from '../gcra/limit-rule.js';
import { ProcessLimits, type StoreAnswer } from '../gcra/process-limits.js';
import type { RateLimitConfig } from '../rate-limit.config.js';
import {
  type ConsumeOptions,
  type Decision,
  type FailurePolicy,
  type LimitRule,
  RateLimiter,
} from '../rate-limiter.js';
import { Batches } from './batches.js';
import type { LimitStore, Request } from './limit-store.js';

/** Between two log lines about errors of the store, in milliseconds. */
const LOG_EVERY_MS = 10_000;

/** Counts in a store; while that does not answer, decides by the failure policy of each limit. */
export class StoreRateLimiter extends RateLimiter {
  private readonly limits: ProcessLimits;
  private readonly patience: Patience;
  private readonly batches: Batches;
  private readonly events: DecisionEvents;
  private readonly pending = new PendingResets();
  private readonly stopListening: () => void;
  /** Counts resets, so that an answer from before one is not kept after it. */
  private resets = 0;
  private loggedAt = -Infinity;

  constructor(
    private readonly store: LimitStore,
    private readonly config: RateLimitConfig,
    private readonly at: DriverSite,
  ) {
    super();
    const now = () => at.clock.monotonic();
    this.limits = new ProcessLimits(config.maxCallers);
    this.patience = new Patience({ timeoutMs: config.timeoutMs, now });
    this.batches = new Batches({
      send: (rule, requests) => this.send(rule, requests),
      mixesKeys: store.mixesKeys,
      now,
    });
    this.events = new DecisionEvents(at.id);
    this.stopListening = store.onChange(available => this.changed(available));
  }

  /** How many callers this process remembers. */
  get callers(): number {
    return this.limits.callers;
  }

  override async consume(given: LimitRule, key: string, { cost = 1 }: ConsumeOptions = {}): Promise<Decision> {
    const rule = checkLimitRule(given);
    checkCost(rule, cost);
    return this.events.publish(rule.name, await this.decide(rule, callerId(key), cost));
  }

  override async reset(given: LimitRule, key: string): Promise<void> {
    const rule = checkLimitRule(given);
    const caller = callerId(key);
    this.resets += 1;
    this.limits.forget(rule, caller);
    await this.resetInStore(this.keyOf(rule, caller));
  }

  close(): void {
    this.stopListening();
    this.patience.close();
  }

  private decide(rule: CheckedRule, caller: string, cost: number): Decision | Promise<Decision> {
    const now = this.at.clock.monotonic();
    if (!this.store.isAvailable) return this.withoutStore(rule, caller, cost);
    const refused = cost === 0 ? undefined : this.limits.remembered(rule, caller, cost, now);
    if (refused) return refused;
    // To refuse because of a hiccup would be worse than to wait.
    const asks = this.patience.asks || this.policyOf(rule) === 'closed';
    return asks ? this.askStore(rule, caller, cost) : this.withoutStore(rule, caller, cost);
  }

  private async askStore(rule: CheckedRule, caller: string, cost: number): Promise<Decision> {
    const { resets } = this;
    const never = cost > rule.smallestLimit;
    try {
      const answer = await this.batches.ask(rule, this.keyOf(rule, caller), never ? rule.smallestLimit + 1 : cost);
      if (resets === this.resets && !never) {
        this.limits.adopt(rule, caller, answer, answer.sentAt, answer.sentAt + this.config.rememberMs);
      }
      return decided(rule, answer.levels, never ? Infinity : answer.waitMs, 'redis');
    } catch (error) {
      this.report(error);
      return this.withoutStore(rule, caller, cost);
    }
  }

  private withoutStore(rule: CheckedRule, caller: string, cost: number): Decision {
    return decideWithout(this.policyOf(rule), this.limits, rule, caller, cost, this.at.clock.monotonic());
  }

  private policyOf(rule: CheckedRule): FailurePolicy {
    return rule.onFailure ?? this.config.onFailure;
  }

  private send(rule: CheckedRule, requests: readonly Request[]): Promise<readonly StoreAnswer[]> {
    const run = () => this.patience.watch(() => this.store.consume(rule, requests));
    const { operations } = this.at;
    if (!operations.hasSubscribers) return run();
    const { id } = this.at;
    return operations.tracePromise(run, { component: 'rate-limit', connection: id, operation: 'consume' });
  }

  private async resetInStore(key: string): Promise<void> {
    try {
      await this.store.forget(key);
    } catch (error) {
      this.report(error);
      this.pending.add(key);
    }
  }

  private keyOf(rule: CheckedRule, caller: string): string {
    return `${this.config.keyPrefix}:{${caller}}:${rule.id}`;
  }

  private changed(available: boolean): void {
    const { logger, id } = this.at;
    if (!available) {
      logger.warn({
        msg: `${id} decides without Redis, by each limit's failure policy`,
        connection: id,
        onFailure: this.config.onFailure,
      });
      return;
    }
    logger.log({ msg: `${id} counts in Redis`, connection: id });
    for (const key of this.pending.take()) void this.resetInStore(key);
  }

  /** That Redis is away is logged once, when it goes; other errors are seldom, and say that something is set up wrongly. */
  private report(error: unknown): void {
    const now = this.at.clock.monotonic();
    if (this.store.isAway(error) || now - this.loggedAt < LOG_EVERY_MS) return;
    this.loggedAt = now;
    const { logger, id } = this.at;
    const reason = error instanceof Error ? error.message : String(error);
    logger.error({ msg: `${id} could not count in Redis, so the failure policy decided: ${reason}`, connection: id });
  }
}
