import { createHash } from 'node:crypto';
import type { ChainableCommander } from 'ioredis';
import type { RedisClient } from '../redis.client.js';
import { keyPrefixOf, originOf } from '../views/prefixed-client.js';

type Argument = string | number | Buffer;

export interface LuaScriptOptions<Result> {
  /** For messages. */
  readonly name: string;
  /** How many keys it takes. @default any number: it is one script all the same, and is sent once */
  readonly keys?: number;
  readonly source: string;
  /** Whether it writes nothing, so that a replica may run it with `scaleReads`. @default false */
  readonly readOnly?: boolean;
  /** Makes something of the reply. @default the reply as it is */
  readonly parse?: (reply: unknown) => Result;
}

/** A script in Lua, sent to each server once and then called by its SHA-1: one round trip in either case. */
export interface LuaScript<Result = unknown> {
  readonly name: string;
  readonly sha: string;
  /**
   * Runs it; a server that has forgotten it (a restart, `SCRIPT FLUSH`, a failover) is sent it again. On a cluster all keys must be of one slot.
   * @throws TypeError when the number of keys is not the script's
   */
  run(client: RedisClient, keys: readonly string[], args?: readonly Argument[]): Promise<Result>;
  /** Adds it to a pipeline or a transaction of `client`; its reply comes unparsed, in its place of what `exec` returns. */
  add(
    pipeline: ChainableCommander,
    client: RedisClient,
    keys: readonly string[],
    args?: readonly Argument[],
  ): ChainableCommander;
}

/** What ioredis makes of a defined script: it works on a client and on a pipeline. */
type Defined = (this: unknown, ...args: Argument[]) => Promise<unknown>;

interface Definable {
  defineCommand(name: string, definition: { lua: string; numberOfKeys?: number; readOnly: boolean }): void;
  [name: string]: unknown;
}

const definedOn = new WeakMap<RedisClient, Map<string, Defined>>();

/** Declares a script. Made once, at the top of a file, it serves every connection. */
export function luaScript<Result = unknown>(options: LuaScriptOptions<Result>): LuaScript<Result> {
  const { name, keys, source, readOnly = false, parse } = options;
  const sha = createHash('sha1').update(source).digest('hex');

  const wrongKeys = (given: readonly string[]) =>
    new TypeError(`The script "${name}" takes ${keys} key(s), not ${given.length}.`);
  const takes = (given: readonly string[]) => keys === undefined || given.length === keys;
  const known = new WeakMap<RedisClient, Defined>();
  /** ioredis sends the source first on each socket and the SHA-1 from then on; a prefix of keys is part of what it defines. */
  const define = (client: RedisClient): Defined => {
    const origin = originOf(client);
    const id = `script:${sha}:${keys ?? 'any'}:${Number(readOnly)}:${keyPrefixOf(client)}`;
    let scripts = definedOn.get(origin);
    if (!scripts) definedOn.set(origin, (scripts = new Map()));
    let script = scripts.get(id);
    if (!script) {
      (client as unknown as Definable).defineCommand(id, {
        lua: source,
        ...(keys !== undefined && { numberOfKeys: keys }),
        readOnly,
      });
      scripts.set(id, (script = (origin as unknown as Definable)[id] as Defined));
    }
    known.set(client, script);
    return script;
  };
  const defined = (client: RedisClient): Defined => known.get(client) ?? define(client);

  return {
    name,
    sha,
    run: (client, given, args = []) => {
      if (!takes(given)) return Promise.reject(wrongKeys(given));
      const script = defined(client);
      const reply =
        keys === undefined
          ? script.call(client, given.length, ...given, ...args)
          : script.call(client, ...given, ...args);
      return parse ? reply.then(parse) : (reply as Promise<Result>);
    },
    add: (pipeline, client, given, args = []) => {
      if (!takes(given)) throw wrongKeys(given);
      void defined(client).call(pipeline, ...(keys === undefined ? [given.length] : []), ...given, ...args);
      return pipeline;
    },
  };
}
