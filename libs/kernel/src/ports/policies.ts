/**
 * Runs a call through whatever resilience is configured under `name`: retry, breaker, timeout.
 * The resilience module provides it; without that, {@link Policies.none} just runs the call.
 */
export abstract class Policies {
  /**
   * @param name what the policy is configured under, e.g. `database`
   * @param call is handed a signal that aborts when the policy gives up
   * @param signal aborts the whole, retries included
   */
  abstract run<T>(name: string, call: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;

  static readonly none: Policies = {
    run: (_name, call, signal) => call(signal ?? new AbortController().signal),
  };
}
