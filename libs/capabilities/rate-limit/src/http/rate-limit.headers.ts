import type { WindowState } from '../rate-limiter.js';

/** A window that a request was counted in, by the name of its policy. */
export interface ReportedWindow {
  readonly policy: string;
  readonly state: WindowState;
}

/** `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-11. Windows are whole seconds there: longer ones are announced where they are not. */
export function policyField(windows: readonly ReportedWindow[]): string {
  return windows
    .map(({ policy, state }) => `"${policy}";q=${state.limit};w=${Math.ceil(state.windowMs / 1_000)}`)
    .join(', ');
}

/**
 * `RateLimit` of the same draft: how much is left (`r`), and the seconds (`t`) in which a client should not use more than that. Spread over
 * them, what is left is used no faster than it comes back; of a window with nothing left, they last until there is more.
 *
 * @param retryAfterMs of a request that was refused: no policy names a later time than `Retry-After` does
 */
export function rateLimitField(windows: readonly ReportedWindow[], retryAfterMs?: number): string {
  return windows
    .map(({ policy, state }) => {
      const ms = retryAfterMs === undefined ? paceMs(state) : Math.min(untilMoreMs(state), retryAfterMs);
      return `"${policy}";r=${Math.max(0, Math.floor(state.remaining))};t=${Math.ceil(ms / 1_000)}`;
    })
    .join(', ');
}

/** `Retry-After` in whole seconds, at least one. */
export function retryAfterField(retryAfterMs: number): string {
  return String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
}

/** Until one unit more is there than now. */
function untilMoreMs({ limit, windowMs, remaining, resetMs }: WindowState): number {
  return Math.max(0, resetMs - (limit - Math.floor(remaining) - 1) * (windowMs / limit));
}

/** How long what is left lasts for a client that uses it as fast as it comes back. */
function paceMs(state: WindowState): number {
  return Math.max(untilMoreMs(state), Math.floor(state.remaining) * (state.windowMs / state.limit));
}
