import { ForeignRedisClientError } from '../errors.js';
import type { RedisClient } from '../redis.client.js';
import { originOf } from '../views/prefixed-client.js';

/** Whether it is worth asking Redis now: one for each connection, shared by all who use it. */
export interface RedisAvailability {
  readonly isAvailable: boolean;
  /**
   * Runs a command within a time limit.
   * @param timeoutMs in milliseconds. @default the connection's commandTimeoutMs
   * @throws RedisUnavailableError at once while Redis is away; and when the command does not end in time, or the connection is lost:
   * from then on Redis counts as away until a ping in the background is answered. Any other error of the command as it is
   */
  run<T>(command: () => Promise<T>, timeoutMs?: number): Promise<T>;
  /** Calls back on each change. @returns a function that ends it */
  onChange(listener: (available: boolean) => void): () => void;
}

const availabilities = new WeakMap<RedisClient, RedisAvailability>();

/** To be called once, by the driver that opened the client. */
export function watchAvailability(client: RedisClient, availability: RedisAvailability): void {
  availabilities.set(client, availability);
}

/**
 * The availability of a connection that our module opened, or of the connection behind a view of one.
 * @throws ForeignRedisClientError for any other client
 */
export function availabilityOf(client: RedisClient): RedisAvailability {
  const found = availabilities.get(originOf(client));
  if (!found) throw new ForeignRedisClientError();
  return found;
}
