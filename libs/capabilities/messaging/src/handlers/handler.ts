import type { RetryMode } from '../config/retry.config.js';
import type { MessagingHub } from '../bus/messaging-hub.js';
import type { EventDefinition } from '../events/event-definition.js';
import { HandlerConflictError } from '../errors.js';
import type { HandlerExtras, RetryOptions } from './handler.options.js';
import type { MessageContext } from './message-context.js';

/** A handler with everything that is to be known of it. */
export interface Handler {
  readonly type: string;
  readonly group: string;
  readonly topic: string;
  /** It receives tasks from the work queue of its type. */
  readonly queue: boolean;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly batch?: { readonly size: number; readonly waitMs: number };
  readonly retry: Required<Omit<RetryOptions, 'retryable'>> & Pick<RetryOptions, 'retryable'>;
  readonly mode: RetryMode | 'auto';
  readonly idempotent: boolean;
  /** Through Nest's pipes, guards, interceptors and filters. */
  call(data: unknown, context: MessageContext): Promise<unknown>;
}

/** @throws HandlerConflictError when an option makes no sense */
export function handlerOf(
  hub: MessagingHub,
  type: string,
  { queue = false, definition, ...options }: HandlerExtras,
  call: Handler['call'],
): Handler {
  const { routes, config } = hub;
  if (definition) routes.define(definition as EventDefinition);
  const { concurrency = config.consumers.concurrency, timeoutMs = config.consumers.timeoutMs, ordered } = options;
  const { attempts, maxAgeMs, firstDelayMs, factor, maxDelayMs } = config.retry;
  const retry = { attempts, maxAgeMs, firstDelayMs, factor, maxDelayMs, ...options.retry };
  const batch = options.batch === true ? {} : options.batch || undefined;
  const group = queue ? routes.topicOf(type) : (options.group ?? routes.groupOf(type));
  for (const [name, value] of Object.entries({
    concurrency,
    timeoutMs,
    'retry.attempts': retry.attempts,
    'batch.size': batch?.size ?? 1,
  }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new HandlerConflictError(`A handler of "${type}" has ${name}: ${value}.`, 'Give it a whole number from 1.');
  if (!/^[\w.-]{1,200}$/.test(group))
    throw new HandlerConflictError(
      `A handler of "${type}" names the group ${JSON.stringify(group)}.`,
      'Use letters, digits, dots, dashes and underscores.',
    );
  return {
    type,
    group,
    topic: routes.topicOf(type),
    queue,
    concurrency,
    timeoutMs,
    retry,
    mode: ordered === undefined ? config.retry.mode : ordered ? 'ordered' : 'fast',
    idempotent: options.idempotent ?? true,
    call,
    ...(batch && { batch: { size: batch.size ?? 100, waitMs: batch.waitMs ?? 10 } }),
  };
}
