import { createHash } from 'node:crypto';
import type { RedisClient } from '../redis.client.js';

/** A script in Lua, sent to each server once and then called by its SHA-1. */
export interface LuaScript {
  readonly name: string;
  readonly sha: string;
  /** Runs it; a server that has forgotten it (a restart) is sent it again. On a cluster all keys must be of one slot. */
  run(client: RedisClient, keys: readonly string[], args?: readonly (string | number | Buffer)[]): Promise<unknown>;
}

/** Declares a script. @param keys how many keys it takes */
export function luaScript({ name, keys, source }: { name: string; keys: number; source: string }): LuaScript {
  const sha = createHash('sha1').update(source).digest('hex');
  return {
    name,
    sha,
    run: async (client, given, args = []) => {
      if (given.length !== keys) throw new TypeError(`The script "${name}" takes ${keys} key(s), not ${given.length}.`);
      try {
        return await client.evalsha(sha, keys, ...given, ...args);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return client.eval(source, keys, ...given, ...args);
      }
    },
  };
}
