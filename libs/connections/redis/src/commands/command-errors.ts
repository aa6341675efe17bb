import { isNativeError } from 'node:util/types';
import { RedisTimeoutError, RedisUnavailableError } from '../errors.js';
import type { InternalCommand } from './internals.js';

/** ioredis's words for a connection that is not there. */
const closed = 'Connection is closed.';
const notThere =
  /^(Connection is closed\.|Stream isn't writeable|Cluster isn't ready|None of startup nodes is available|Cluster is ended|Command aborted due to connection close|Reached the max retries per request limit|Failed to refresh slots cache|Too many Cluster redirections|No subscriber for the cluster|Node is disconnected|Socket timeout)/;
export const timedOut = 'Command timed out';
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** Replies of a server that is there and cannot serve anybody. */
export const cannotServe = /^(LOADING|MASTERDOWN|CLUSTERDOWN)\b/;

/** What a command is told that was under way when its connection was lost: ioredis never sends it again. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
  constructor() {
    super('the connection was lost before the answer; the command may have been executed');
  }
}

/** Whether the error says that Redis is not there. */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof RedisUnavailableError || error instanceof ConnectionLostError) return true;
  if (!isNativeError(error)) return false;
  return (
    notThere.test(error.message) ||
    cannotServe.test(error.message) ||
    networkCodes.has(String((error as { code?: unknown }).code))
  );
}

export function isTimeout(error: unknown): boolean {
  return error instanceof RedisTimeoutError || (isNativeError(error) && error.message === timedOut);
}

export interface ErrorSite {
  readonly id: string;
  readonly isCluster: boolean;
  readonly commandTimeoutMs: () => number;
  /** What is known of why the connection is not there. */
  readonly reason: () => string | undefined;
}

/** A command's error as callers may see it: named, without the command's arguments. */
export function commandError(error: Error, command: InternalCommand, site: ErrorSite): Error {
  withoutArguments(error, command);
  if (error instanceof RedisUnavailableError || error instanceof RedisTimeoutError) return error;
  if (error.message === timedOut)
    return new RedisTimeoutError(site.id, command.name, site.commandTimeoutMs(), { cause: error });
  // By these words the cluster's client knows that it may send a pipeline that was never sent to another node.
  if (site.isCluster && command.pipelineIndex !== undefined && error.message === closed) return error;
  if (error instanceof ConnectionLostError) return new RedisUnavailableError(site.id, error.message, { cause: error });
  if (notThere.test(error.message))
    return new RedisUnavailableError(site.id, site.reason() ?? 'it is not connected', { cause: error });
  return error;
}

/** ioredis hangs the whole command on its errors, and the server quotes arguments of one that it does not know: values, for any log to print. */
export function withoutArguments(error: Error, command?: InternalCommand): void {
  const carried = error as Error & { command?: { name?: string; args?: unknown } };
  if (carried.command) carried.command = { name: carried.command.name ?? command?.name };
  const at = error.message.search(/,? with args beginning with: /);
  if (at < 0) return;
  const whole = error.message;
  error.message = whole.slice(0, at);
  if (error.stack) error.stack = error.stack.replace(whole, error.message);
}
