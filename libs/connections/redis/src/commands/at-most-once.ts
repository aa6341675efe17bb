import { exists, hasFlag } from '@ioredis/commands';
import type { Redis } from 'ioredis';
import { ConnectionLostError } from './command-errors.js';
import type { CommandQueue, InternalRedis } from './internals.js';

/**
 * Sees to it that a command which writes is never sent twice: what was under way when the connection was lost may have been executed.
 * ioredis would send it again once it is connected (a cluster, to another node). A command that only reads may be repeated; of a pipeline
 * all or nothing, so nothing.
 */
export function neverRepeatWrites(redis: Redis): void {
  const internal = redis as unknown as InternalRedis;
  redis.on('close', () => {
    const { commandQueue, prevCommandQueue } = internal;
    if (prevCommandQueue) rejectWrites(prevCommandQueue);
    // Those of a handshake that came to nothing are dropped by ioredis, and their timers would keep a process alive that has ended.
    if (commandQueue !== prevCommandQueue)
      for (let at = 0; at < commandQueue.length; at += 1)
        clearTimeout(commandQueue.peekAt(at)!.command._commandTimeoutTimer);
  });
  const flush = internal.flushQueue.bind(redis);
  internal.flushQueue = (error, options) => {
    if (options?.commandQueue !== false) rejectWrites(internal.commandQueue);
    flush(error, options);
  };
}

function rejectWrites(queue: CommandQueue): void {
  for (let at = queue.length - 1; at >= 0; at -= 1) {
    const { command } = queue.peekAt(at)!;
    if (command.pipelineIndex === undefined && isRead(command.name)) continue;
    queue.removeOne(at);
    command.reject(new ConnectionLostError());
  }
}

function isRead(name: string): boolean {
  return exists(name, { caseInsensitive: true }) && hasFlag(name, 'readonly', { nameCaseInsensitive: true });
}
