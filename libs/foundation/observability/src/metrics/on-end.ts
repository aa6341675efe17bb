import type { TracingChannel } from 'node:diagnostics_channel';

/** What a tracing channel of the kernel adds to a message. */
export interface Ended {
  error?: unknown;
  result?: unknown;
}

/** When a call began: on the message itself, as several who listen to it may share it. */
const BEGAN: unique symbol = Symbol('core-infra:began');

/**
 * Calls back at the end of each call of a tracing channel, however it ended.
 * @returns stops listening
 */
export function onEnd<Message extends object>(
  channel: TracingChannel<unknown, Message>,
  ended: (call: Message & Ended, durationMs: number) => void,
): () => void {
  type Call = Message & Ended & { [BEGAN]?: number };
  const done = (call: Call): void => {
    const began = call[BEGAN];
    if (began !== undefined) ended(call, performance.now() - began);
  };
  const handlers = {
    start: (call: Call) => void (call[BEGAN] ??= performance.now()),
    end: (call: Call) => {
      // A synchronous call has its outcome at its end; a promise's comes with asyncEnd.
      if ('error' in call || ('result' in call && !isThenable(call.result))) done(call);
    },
    asyncStart: () => undefined,
    asyncEnd: done,
    error: () => undefined,
  };
  channel.subscribe(handlers as never);
  return () => channel.unsubscribe(handlers as never);
}

function isThenable(value: unknown): boolean {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function';
}
