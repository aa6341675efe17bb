import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';
import type { ContextFields, ContextInput } from '@core-infra/kernel';
import { DeadlineExceededError, RequestAbortedError } from './errors.js';

/** Longest delay of a timer. */
const maxDelayMs = 2 ** 31 - 1;

/** One running request or message. The signal is made when it is first read: what nobody reads costs nothing. */
export class RunningContext implements ContextFields {
  traceparent: string | undefined = undefined;
  tracestate: string | undefined = undefined;
  userId: string | undefined = undefined;
  tenantId: string | undefined = undefined;
  deadline: number | undefined = undefined;
  private made: AbortSignal | undefined = undefined;
  private upstream: ContextInput['signal'] = undefined;

  constructor(
    public requestId: string,
    public correlationId: string,
    /** The answer that the caller waits for, under HTTP. */
    private readonly response?: ServerResponse,
    /** What this context was started in. */
    private readonly parent?: RunningContext,
  ) {}

  get signal(): AbortSignal | undefined {
    return (this.made ??= this.makeSignal());
  }

  set signal(signal: ContextInput['signal']) {
    this.upstream = signal;
    this.made = undefined;
  }

  assign(fields: ContextInput): void {
    const { requestId, correlationId } = this;
    Object.assign(this, fields);
    this.requestId ??= requestId;
    this.correlationId ??= correlationId;
    // A signal which was handed out keeps its deadline; whoever reads it from now on gets the new one.
    if ('deadline' in fields) this.made = undefined;
  }

  /**
   * A context for a part of this one: it ends with it, and no later; but for work which is to outlive it, and says so by
   * `deadline: undefined` and `signal: undefined`.
   */
  inherit(fields: ContextInput): RunningContext {
    const detached = isUnset(fields, 'deadline') && isUnset(fields, 'signal');
    const child = new RunningContext(this.requestId, this.correlationId, undefined, detached ? undefined : this);
    child.traceparent = this.traceparent;
    child.tracestate = this.tracestate;
    child.userId = this.userId;
    child.tenantId = this.tenantId;
    child.deadline = this.deadline;
    child.assign(fields);
    if (detached) return child;
    if (this.deadline !== undefined && (child.deadline === undefined || child.deadline > this.deadline))
      child.deadline = this.deadline;
    return child;
  }

  private makeSignal(): AbortSignal | undefined {
    const upstream = typeof this.upstream === 'function' ? this.upstream() : this.upstream;
    const signals = [upstream, this.parent?.signal, this.response && this.hangUp(this.response)];
    // The parent's deadline is in the parent's signal.
    if (this.deadline !== undefined && this.deadline !== this.parent?.deadline)
      signals.push(deadlineSignal(this.requestId, this.deadline, this.response));
    const found = signals.filter(signal => signal !== undefined);
    return found.length > 1 ? AbortSignal.any(found) : found[0];
  }

  private hangUp(response: ServerResponse): AbortSignal {
    const controller = new AbortController();
    const closed = () => {
      if (!response.writableFinished) controller.abort(new RequestAbortedError(this.requestId));
    };
    if (response.destroyed || response.closed) closed();
    else response.once('close', closed);
    return controller.signal;
  }
}

/** Outside of every request and message. */
const apart = AsyncLocalStorage.snapshot();

/** A function of its own, whose timer runs apart: else what has long been answered or handled would be kept, with all that it came with, until it would have been late. */
function deadlineSignal(requestId: string, deadline: number, response?: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const wait = () => {
    const left = deadline - Date.now();
    if (left <= 0) controller.abort(new DeadlineExceededError(requestId, deadline));
    else {
      const timer = apart(() => setTimeout(wait, Math.min(left, maxDelayMs)).unref());
      response?.once('close', () => clearTimeout(timer));
    }
  };
  wait();
  return controller.signal;
}

function isUnset(fields: ContextInput, name: keyof ContextFields): boolean {
  return name in fields && fields[name] === undefined;
}
