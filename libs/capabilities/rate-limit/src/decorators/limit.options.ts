import type { ExecutionContext } from '@nestjs/common';
import type { FailurePolicy, LimitWindow } from '../rate-limiter.js';

/** What is being limited: an HTTP request, a message, or a call of a service's method. */
export interface LimitedCall {
  readonly kind: 'http' | 'message' | 'method';
  /** Of a method, its arguments; of a message, its payload and context; of a request, the adapter's request and response. */
  readonly args: readonly unknown[];
  /** The user of the request context, else of `request.user` (`id`, `sub` or `userId`). */
  readonly userId: string | undefined;
  /** The client's address under HTTP, as the trusted proxies tell it. */
  readonly address: string | undefined;
  /** The adapter's request under HTTP; its body is as it was sent, not validated yet. */
  readonly request: LimitedRequest | undefined;
  /** Of a handler. */
  readonly execution: ExecutionContext | undefined;
}

/** What Express' and Fastify's requests share. */
export interface LimitedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly user?: unknown;
}

/** Something about a call that is known only when it comes. Where it throws or rejects, the log says so, and it counts as having returned `undefined`. */
export type OfCall<T> = (call: LimitedCall) => T | Promise<T>;

/**
 * Who is limited.
 * `ip`: the client's address, under IPv6 its network.
 * `user`: the user of the request; under HTTP, while nobody is known, the address; elsewhere, all such calls together.
 * `api-key`: the API key that was sent, by its hash; without one, the address.
 * `everyone`: all callers together.
 * A function: whatever it returns; `undefined` is treated like a user who is not known.
 */
export type LimitBy = 'ip' | 'user' | 'api-key' | 'everyone' | OfCall<string | undefined>;

interface CommonOptions {
  /** Whose calls are counted together. @default 'ip' for HTTP handlers, 'user' for messages and services */
  readonly by?: LimitBy;
  /** Units that a call takes, or a function that says so; what is no number of at least 0 counts as 1, a fraction is rounded up. @default 1 */
  readonly cost?: number | OfCall<number>;
  /**
   * Names the limit in keys, headers, errors and events: letters, digits and `. _ : -`. Places that state a limit of the same name share it.
   * @default `LoginController`, `LoginController.login`
   */
  readonly name?: string;
  /** What happens while the store is away. @default rateLimit.onFailure */
  readonly onFailure?: FailurePolicy;
  /** Calls for which the limit does not count. */
  readonly skipIf?: OfCall<boolean>;
}

/** One window, several, or both. */
export type LimitOptions = CommonOptions &
  ((LimitWindow & { readonly windows?: readonly LimitWindow[] }) | { readonly windows: readonly LimitWindow[] });
