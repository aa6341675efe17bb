import type { Redis } from 'ioredis';
import type { InternalCommand, InternalRedis } from './internals.js';

/**
 * Keeps the callers' commands out of the handshake. ioredis would send some of them (`PUBLISH`, `SUBSCRIBE`, `MULTI`, …) as soon as the socket is open,
 * and when that is lost before the handshake is done it drops them without a word: they would never end, and a subscription would not be made.
 */
export function holdUntilReady(redis: Redis): void {
  const internal = redis as unknown as InternalRedis;
  const send = internal.sendCommand.bind(redis);
  internal.sendCommand = (command, stream, node) => {
    if (redis.status !== 'connect' || stream !== undefined || isHandshake(command)) return send(command, stream, node);
    const { enableOfflineQueue, commandTimeout } = redis.options;
    if (!enableOfflineQueue) {
      command.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"));
      return command.promise;
    }
    if (typeof commandTimeout === 'number') command.setTimeout(commandTimeout);
    internal.offlineQueue.push({ command, select: internal.condition.select });
    return command.promise;
  };
}

/** What ioredis itself says before it is ready. */
function isHandshake({ name, args }: InternalCommand): boolean {
  switch (name.toLowerCase()) {
    case 'auth':
    case 'select':
    case 'readonly':
      return true;
    case 'client':
      return /^set(name|info)$/i.test(String(args[0]));
    case 'info':
      return args.length === 0;
    default:
      return false;
  }
}
