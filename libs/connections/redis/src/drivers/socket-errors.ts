import type { Cluster, Redis } from 'ioredis';
import { type InternalCluster, type InternalRedis, isCluster } from '../commands/internals.js';

/**
 * Keeps a second error of a socket from ending the process. ioredis listens for the first one only, and a TLS socket may report several: when we
 * hang up on a certificate that cannot be verified, the server's alert about that may still arrive. The first one tells why.
 */
export function outliveSocketErrors(client: Redis | Cluster): void {
  if (isCluster(client)) {
    client.on('+node', (node: Redis) => {
      outliveOf(node);
      // ioredis chooses the connection for its subscriptions after it has told of the node.
      process.nextTick(outliveOfSubscriber, client);
    });
    return;
  }
  outliveOf(client);
  const { connector } = client as unknown as InternalRedis;
  const connectToSentinel = connector.connectToSentinel?.bind(connector);
  if (!connectToSentinel) return;
  connector.connectToSentinel = (...args) => {
    const sentinel = connectToSentinel(...args);
    outliveOf(sentinel);
    return sentinel;
  };
}

const watched = new WeakSet<Redis>();

function outliveOf(redis: Redis): void {
  watched.add(redis);
  const { connector } = redis as unknown as InternalRedis;
  const connect = connector.connect.bind(connector);
  connector.connect = async (...args) => outlive(await connect(...args));
  // It may be connecting already; its socket is there before anything can arrive.
  if (redis.status !== 'wait') setImmediate(() => outlive((redis as unknown as InternalRedis).stream));
}

function outlive<S extends InternalRedis['stream']>(stream: S): S {
  stream?.on('error', () => undefined);
  return stream;
}

function outliveOfSubscriber(cluster: Cluster): void {
  const subscriber = (cluster as unknown as InternalCluster).subscriber.getInstance();
  if (!subscriber || watched.has(subscriber)) return;
  outliveOf(subscriber);
  // Another one takes its place.
  subscriber.once('end', () => process.nextTick(outliveOfSubscriber, cluster));
}
