import type { RedisClient } from '@core-infra/redis';

/** Keys in one command. */
const AT_ONCE = 500;

/** `GET` of many: one command for each 500 keys; on a cluster each key goes to its own node, all in one turn. */
export async function getAll(client: RedisClient, names: readonly string[]): Promise<(Buffer | null)[]> {
  if (names.length === 1) return [await client.getBuffer(names[0]!)];
  if (client.isCluster) return Promise.all(names.map(name => client.getBuffer(name)));
  const bundles = await Promise.all(bundled(names).map(bundle => client.mgetBuffer(...bundle)));
  return bundles.flat();
}

/** @returns how many keys there were */
export async function unlinkAll(client: RedisClient, names: readonly string[]): Promise<number> {
  const commands = client.isCluster
    ? names.map(name => client.unlink(name))
    : bundled(names).map(bundle => client.unlink(...bundle));
  return (await Promise.all(commands)).reduce((sum, count) => sum + count, 0);
}

export function bundled<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / AT_ONCE) }, (_, at) =>
    items.slice(at * AT_ONCE, (at + 1) * AT_ONCE),
  );
}
