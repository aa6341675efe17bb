import type { Driver } from '@core-infra/kernel';
import { availabilityOf, luaScript, type RedisClient } from '@core-infra/redis';
import { createCodec } from '../codec/create-codec.js';
import { SessionsUnavailableError } from '../session/errors.js';
import type { SessionStorage } from '../session/session.storage.js';
import type { Sessions } from '../session/sessions.js';
import type { SessionsConfig } from '../session/sessions.config.js';
import { StoredSessions } from '../session/stored.sessions.js';

/** An empty value is one that has ended. */
const write = luaScript({
  name: 'session-write',
  keys: 1,
  source: `
local now = redis.call('GET', KEYS[1])
if now == '' then return 0 end
if ARGV[3] ~= '' then
  if not now then return 0 end
  if now ~= ARGV[3] then return 2 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`,
});

const outcomes = ['ended', 'written', 'changed'] as const;

/** Sessions in Redis alone: there is no copy in a process, so what ends has ended for all. */
export const driver: Driver<SessionsConfig, Sessions> = async (config, at) => {
  const client = at.upstream<RedisClient>();
  const storage = redisStorage(client, config);
  return {
    client: new StoredSessions(storage, await createCodec(config.codec, at), config, at),
    address: 'redis',
    check: () => {
      if (!storage.isAvailable) throw new SessionsUnavailableError(at.id);
    },
  };
};

function redisStorage(client: RedisClient, { keyPrefix, commandTimeoutMs }: SessionsConfig): SessionStorage {
  const availability = availabilityOf(client);
  const run = <T>(command: () => Promise<T>): Promise<T> => availability.run(command, commandTimeoutMs);
  const full = (key: string): string => `${keyPrefix}:${key}`;
  const found = (bytes: Buffer | null): Buffer | undefined =>
    bytes === null || bytes.length === 0 ? undefined : bytes;
  return {
    read: async (key, renewMs) =>
      found(
        await run(() =>
          renewMs === undefined ? client.getBuffer(full(key)) : client.getexBuffer(full(key), 'PX', renewMs),
        ),
      ),
    write: async (key, bytes, ttlMs, expected) =>
      outcomes[Number(await run(() => write.run(client, [full(key)], [bytes, ttlMs, expected ?? ''])))]!,
    renew: async (key, ttlMs) => void (await run(() => client.pexpire(full(key), ttlMs))),
    end: async (key, rememberMs) => found(await run(() => client.setBuffer(full(key), '', 'PX', rememberMs, 'GET'))),
    get isAvailable() {
      return availability.isAvailable;
    },
    onAvailability: listener => availability.onChange(listener),
  };
}
