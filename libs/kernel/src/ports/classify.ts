import { type Fault, InfraError } from '../errors/infra-error.js';

/** What a failed call means to its caller. */
export interface Classification {
  readonly fault: Fault;
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean;
  /** The least time to wait before trying again, in milliseconds, where the server said so. */
  readonly retryAfterMs?: number;
}

/** A driver's own knowledge of its client's errors; `undefined` when it does not know the error. */
export type Classify = (error: unknown) => Classification | undefined;

/** Errors of a socket or of name resolution: the server is away, and may come back. */
const networkCodes = new Set(
  'ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH EAI_AGAIN ENOTFOUND UND_ERR_SOCKET UND_ERR_CONNECT_TIMEOUT'.split(
    ' ',
  ),
);

/**
 * Asks each driver in turn, then what every error tells of itself, then its cause.
 * An error that nobody knows is the server's fault and is not retried.
 */
export function classify(error: unknown, drivers: Iterable<Classify> = []): Classification {
  const known = [...drivers];
  for (let at: unknown = error, depth = 0; at !== undefined && at !== null && depth < 8; depth += 1) {
    for (const driver of known) {
      const found = driver(at);
      if (found) return found;
    }
    if (networkCodes.has(String((at as { code?: unknown }).code))) return { fault: 'dependency', retryable: true };
    if (at instanceof InfraError) return { fault: at.fault, retryable: at.retryable };
    const aggregated = at instanceof AggregateError ? (at.errors[0] as unknown) : undefined;
    at = aggregated ?? (at as { cause?: unknown }).cause;
  }
  return { fault: 'server', retryable: false };
}
