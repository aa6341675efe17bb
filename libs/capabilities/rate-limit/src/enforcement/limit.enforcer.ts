import { RequestContext } from '@core-infra/kernel';
import { type ExecutionContext, Inject, Injectable, Optional } from '@nestjs/common';
import type { LimitGroup } from '../decorators/limit.groups.js';
import { LimitRegistry } from '../decorators/limit.registry.js';
import { CallerDeniedError, RateLimitedError, RateLimitUnavailableError } from '../errors.js';
import type { ReportedWindow } from '../http/rate-limit.headers.js';
import { type Decision, RateLimiter } from '../rate-limiter.js';
import { apiKey, callerKey, statedKey, userKey } from './caller.key.js';
import { type AnyCall, HttpCall, MessageCall, MethodCall } from './callers.js';
import { StatedFunctions } from './stated-functions.js';
import { SurfaceSettings } from './surface.settings.js';

/** What has been decided of a call so far. */
export interface Verdict {
  readonly windows: ReportedWindow[];
  /** Set when it was refused: when it would pass, in milliseconds. */
  retryAfterMs?: number;
  /** The caller is on the list of those whom no limit concerns. */
  exempt?: boolean;
  readonly stages: Set<Stage>;
}

/** `first` is before the handler's own guards, `last` is where it names ours among them. */
export type Stage = 'first' | 'last';

/** Asks the limiter for whatever is limited: requests, messages, calls of methods. */
@Injectable()
export class LimitEnforcer {
  private readonly settings: SurfaceSettings;
  private readonly functions = new StatedFunctions();

  constructor(
    private readonly limiter: RateLimiter,
    private readonly registry: LimitRegistry,
    @Optional() @Inject(RequestContext) private readonly context: RequestContext = RequestContext.none,
  ) {
    this.settings = SurfaceSettings.of(limiter);
  }

  /**
   * Decides for a handler. Where it names our guard among its own (`guard`), limits by user or by a function wait for that one.
   * @throws RateLimitedError
   * @throws RateLimitUnavailableError
   * @throws CallerDeniedError
   */
  async enforceHandler(execution: ExecutionContext, stage: Stage, guard: object, verdict: Verdict): Promise<void> {
    const call = this.callOf(execution);
    if (!call) return;
    if (stage === 'first' || !verdict.exempt) this.admit(call, verdict);
    if (verdict.exempt) return;
    const [method, owner] = [execution.getHandler(), execution.getClass()];
    const { groups, none, guards } = this.registry.ofHandler(method, owner);
    if (none) return;
    const fallback = groups.length === 0 && call.kind === 'http' ? this.settings.default : undefined;
    const waits = guards.includes(guard);
    const due = (group: LimitGroup): boolean => !waits || (isKnownLate(group) ? 'last' : 'first') === stage;
    await this.enforce((fallback ? [fallback] : groups).filter(due), call, verdict);
  }

  /** Decides for a method of a service, and rejects like {@link enforceHandler}. */
  async enforceCall(method: object, owner: object, args: readonly unknown[]): Promise<void> {
    const call = new MethodCall(args, this.context);
    const verdict: Verdict = { windows: [], stages: new Set() };
    this.admit(call, verdict);
    if (!verdict.exempt) await this.enforce(this.registry.ofCall(method, owner), call, verdict);
  }

  private callOf(execution: ExecutionContext): AnyCall | undefined {
    switch (execution.getType()) {
      case 'http':
        return new HttpCall(execution, this.context, this.settings.addresses);
      case 'rpc':
        return new MessageCall(execution, this.context);
      default:
        return undefined;
    }
  }

  private async enforce(groups: readonly LimitGroup[], call: AnyCall, verdict: Verdict): Promise<void> {
    for (const group of groups) {
      if (group.skipIf && (await this.functions.ask(group, 'skipIf', group.skipIf, call))) continue;
      const { by } = group;
      const { client, access } = this.settings;
      const key =
        typeof by === 'function'
          ? statedKey(await this.functions.ask(group, 'by', by, call), call, client)
          : callerKey(by, call, client);
      const listed = typeof by === 'function' ? access.ofKey(key) : undefined;
      if (listed === 'deny') throw new CallerDeniedError();
      if (listed === 'allow') continue;
      const cost = costOf(
        typeof group.cost === 'function' ? await this.functions.ask(group, 'cost', group.cost, call) : group.cost,
      );
      if (cost === 0) continue;
      const decision = await this.limiter.consume(group.rule, key, { cost });
      const windows = decision.windows.map((state, index) => ({ policy: group.policies[index]!, state }));
      verdict.windows.push(...windows);
      if (decision.allowed) continue;
      verdict.retryAfterMs = decision.retryAfterMs;
      throw refusal(group, decision, cost);
    }
  }

  /** Looks the caller up in the lists, by all that is known of it at this point. */
  private admit(call: AnyCall, verdict: Verdict): void {
    const { access, client } = this.settings;
    if (access.areEmpty) return;
    const found = [
      call instanceof HttpCall ? access.ofAddress(call.client) : undefined,
      ...[userKey(call), apiKey(call, client)].map(key => key && access.ofKey(key)),
    ];
    if (found.includes('deny')) throw new CallerDeniedError();
    if (found.includes('allow')) verdict.exempt = true;
  }
}

/** Whether who is limited may be known only after the guards of the handler. */
function isKnownLate({ by }: LimitGroup): boolean {
  return by === 'user' || typeof by === 'function';
}

/** A function works on what was sent, which nobody has validated yet: nonsense counts as an ordinary call. */
function costOf(cost: number | undefined): number {
  return typeof cost === 'number' && cost >= 0 ? Math.ceil(cost) : 1;
}

function refusal({ rule, limits }: LimitGroup, decision: Decision, cost: number): Error {
  if (decision.by === 'closed') return new RateLimitUnavailableError(rule.name, decision.retryAfterMs);
  const short = decision.windows.findIndex(({ remaining }) => remaining < cost);
  return new RateLimitedError(limits[short] ?? rule.name, decision.retryAfterMs);
}
