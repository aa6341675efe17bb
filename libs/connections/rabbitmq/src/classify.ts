import { isNativeError } from 'node:util/types';
import type { Classification } from '@core-infra/kernel';

const dependency: Classification = { fault: 'dependency', retryable: true };
const server: Classification = { fault: 'server', retryable: false };

/** amqplib's own words for a connection or a channel that is gone. */
const broken =
  /^(Channel (closed|closing|ended)|Connection (closed|closing)|channel closed|Socket closed|Heartbeat timeout|Unexpected close|connect ETIMEDOUT|Server connection closing|Handshake terminated by server: 320)/i;

/** What an error of RabbitMQ or of amqplib means to its caller. */
export function classifyRabbitmq(error: unknown): Classification | undefined {
  if (!isNativeError(error)) return undefined;
  if (broken.test(error.message)) return dependency;
  const code = (error as { code?: unknown }).code;
  // Reply codes of AMQP 0-9-1: 320 the broker stops, 541 an internal error of it; the other ones say what is wrong with the request.
  if (code === 320 || code === 541) return dependency;
  return typeof code === 'number' && code >= 311 && code <= 540 ? server : undefined;
}
