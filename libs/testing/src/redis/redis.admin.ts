import type { SecureContextOptions } from 'node:tls';
import { Redis } from 'ioredis';

/** How long a server may take to answer, in milliseconds. */
const ANSWERS_WITHIN_MS = 10_000;

/** Runs `use` with a connection of its own, closed afterwards; rejects with the error of the connection itself. */
export async function withRedis<Result>(
  url: string,
  use: (client: Redis) => Promise<Result>,
  tls?: SecureContextOptions,
): Promise<Result> {
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    connectTimeout: ANSWERS_WITHIN_MS,
    commandTimeout: ANSWERS_WITHIN_MS,
    // How long it keeps the process alive for the close of a socket, also of one that is closed already.
    disconnectTimeout: 100,
    retryStrategy: () => null,
    ...(tls && { tls }),
  });
  let reason: Error | undefined;
  client.on('error', (error: Error) => (reason = error));
  try {
    await client.connect().catch((error: unknown) => {
      throw reason ?? error;
    });
    return await use(client);
  } finally {
    client.disconnect();
  }
}

/** Rejects for as long as the server does not answer. */
export async function pingRedis(url: string, tls?: SecureContextOptions): Promise<void> {
  await withRedis(url, client => client.ping(), tls);
}
