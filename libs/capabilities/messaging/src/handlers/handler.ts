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
  /** How many more attempts there may be while some hang. */
  readonly overflow: number;
  readonly timeoutMs: number;
  readonly batch?: { readonly size: number; readonly waitMs: number };
  readonly retry: Required<Omit<RetryOptions, 'retryable'>> & Pick<RetryOptions, 'retryable'>;
  readonly mode: RetryMode | 'auto';
  readonly idempotent: boolean;
  /** What its events are checked by; without one, the newest definition of the type. */
  readonly definition?: EventDefinition;
  /** Through Nest's pipes, guards, interceptors and filters. */
  call(data: unknown, context: MessageContext): Promise<unknown>;
}

/** The longest time that timers take. */
const longestMs = 2_147_483_647;

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
  const { overflow = concurrency === 1 ? 0 : (config.consumers.overflow ?? concurrency) } = options;
  const { attempts, maxAgeMs, firstDelayMs, factor, maxDelayMs } = config.retry;
  const retry = { attempts, maxAgeMs, firstDelayMs, factor, maxDelayMs, ...options.retry };
  const batch = options.batch === true ? {} : options.batch || undefined;
  const group = queue ? routes.topicOf(type) : (options.group ?? routes.groupOf(type));
  for (const [name, [value, least, most]] of Object.entries({
    concurrency: [concurrency, 1, 10_000],
    overflow: [overflow, 0, 10_000],
    timeoutMs: [timeoutMs, 1, longestMs],
    'retry.attempts': [retry.attempts, 1, 10_000],
    'retry.maxAgeMs': [retry.maxAgeMs, 0, Number.MAX_SAFE_INTEGER],
    'retry.firstDelayMs': [retry.firstDelayMs, 0, longestMs],
    'retry.factor': [retry.factor, 1, 10],
    'retry.maxDelayMs': [retry.maxDelayMs, 0, longestMs],
    'batch.size': [batch?.size ?? 1, 1, 10_000],
    'batch.waitMs': [batch?.waitMs ?? 0, 0, longestMs],
  } as Record<string, [value: number, least: number, most: number]>))
    if (!(value >= least && value <= most) || (name !== 'retry.factor' && !Number.isSafeInteger(value)))
      throw new HandlerConflictError(
        `A handler of "${type}" has ${name}: ${value}.`,
        `Give it a ${name === 'retry.factor' ? '' : 'whole '}number from ${least} to ${most}.`,
      );
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
    overflow,
    timeoutMs,
    retry,
    mode: ordered === undefined ? config.retry.mode : ordered ? 'ordered' : 'fast',
    idempotent: options.idempotent ?? true,
    call,
    ...(definition !== undefined && { definition: definition as EventDefinition }),
    ...(batch && { batch: { size: batch.size ?? 100, waitMs: batch.waitMs ?? 10 } }),
  };
}
