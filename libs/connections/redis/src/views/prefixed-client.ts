import { type Cluster, Redis, Cluster as ClusterClass } from 'ioredis';
import type { InternalClient, InternalCommand } from '../commands/internals.js';
import { confine } from '../commands/key-space.js';
import type { RedisClient } from '../redis.client.js';

interface View {
  readonly origin: RedisClient;
  readonly keyPrefix: string;
}

const views = new WeakMap<RedisClient, View>();

/** Methods that make commands out of whatever client they are called on: they must be called on the view. */
const onView = new Set<PropertyKey>([
  'pipeline',
  'multi',
  'defineCommand',
  'addBuiltinCommand',
  'scanStream',
  'scanBufferStream',
  'sscanStream',
  'sscanBufferStream',
  'hscanStream',
  'hscanBufferStream',
  'zscanStream',
  'zscanBufferStream',
  'createScanStream',
]);
const commander = Object.getPrototypeOf(Redis.prototype) as object;

/**
 * The same connection, with a prefix before every key: of commands, pipelines, transactions, scripts and their streams, `SCAN` and `KEYS` too.
 * Channels of publish and subscribe have none, and keys in replies (`BLPOP`, `XREAD`) come back whole, as with ioredis's own `keyPrefix`.
 */
export function prefixedClient(client: RedisClient, keyPrefix: string): RedisClient {
  if (keyPrefix === '') return client;
  const origin = originOf(client);
  const whole = keyPrefixOf(client) + keyPrefix;
  const target = origin as unknown as (Redis | Cluster) & InternalClient;
  const methods = new Map<PropertyKey, { value: unknown; method: unknown }>();
  const own = new Map<PropertyKey, unknown>(
    Object.entries({
      options: Object.create(target.options, { keyPrefix: { value: whole, enumerable: true } }) as unknown,
      // Commands that are pipelined by themselves get the prefix from the pipeline: a view needs pipelines of its own.
      _autoPipelines: new Map(),
      _runningAutoPipelines: new Set(),
      sendCommand: (command: InternalCommand, stream?: unknown, node?: unknown) => {
        confine(command, whole);
        return target.sendCommand(command, stream, node);
      },
      duplicate: (...given: unknown[]) =>
        target instanceof ClusterClass
          ? target.duplicate(given[0] as never, { ...(given[1] as object | undefined), keyPrefix: whole })
          : (target as Redis).duplicate({ keyPrefix: whole, ...(given[0] as object | undefined) }),
    }),
  );
  const view = new Proxy(target, {
    get: (at, key) => {
      const mine = own.get(key);
      if (mine !== undefined) return mine;
      const value = Reflect.get(at, key, at) as unknown;
      if (typeof value !== 'function' || key === 'constructor') return value;
      const known = methods.get(key);
      if (known?.value === value) return known.method;
      const isOnView = onView.has(key) || isCommand(at, key);
      const method: unknown = isOnView ? value : (value as (...args: unknown[]) => unknown).bind(at);
      methods.set(key, { value, method });
      return method;
    },
  }) as unknown as RedisClient;
  views.set(view, { origin, keyPrefix: whole });
  return view;
}

/** The connection's own client behind a view; a client that is none is its own. */
export function originOf(client: RedisClient): RedisClient {
  return views.get(client)?.origin ?? client;
}

/** What is put before the keys of this client: by the connection's `namespace`, and by `forFeature({ keyPrefix })`. */
export function keyPrefixOf(client: RedisClient): string {
  return views.get(client)?.keyPrefix ?? (client as unknown as InternalClient).options.keyPrefix ?? '';
}

/** A command, or a script that was defined on the client. */
function isCommand(client: object, key: PropertyKey): boolean {
  if (Object.hasOwn(client, key)) {
    const { scriptsSet } = client as { scriptsSet: object };
    return Object.hasOwn(scriptsSet, String(key).replace(/Buffer$/, '')) || Object.hasOwn(scriptsSet, key);
  }
  return (
    Object.hasOwn(commander, key) && !Object.hasOwn(Redis.prototype, key) && !Object.hasOwn(ClusterClass.prototype, key)
  );
}
