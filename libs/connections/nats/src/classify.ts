import { isNativeError } from 'node:util/types';
import type { Classification } from '@core-infra/kernel';
import { errors } from '@nats-io/transport-node';

const dependency: Classification = { fault: 'dependency', retryable: true };
const server: Classification = { fault: 'server', retryable: false };

/** What an error of the NATS client means to its caller. */
export function classifyNats(error: unknown): Classification | undefined {
  if (!isNativeError(error)) return undefined;
  if (
    error instanceof errors.ConnectionError ||
    error instanceof errors.ClosedConnectionError ||
    error instanceof errors.DrainingConnectionError ||
    error instanceof errors.TimeoutError ||
    error instanceof errors.NoRespondersError
  )
    return dependency;
  if (
    error instanceof errors.AuthorizationError ||
    error instanceof errors.UserAuthenticationExpiredError ||
    error instanceof errors.PermissionViolationError ||
    error instanceof errors.InvalidArgumentError ||
    error instanceof errors.InvalidSubjectError
  )
    return server;
  return undefined;
}
