import type { SecureContextOptions } from 'node:tls';
import { type ChannelModel, connect } from 'amqplib';

/** How long a server may take to answer, in milliseconds. */
const ANSWERS_WITHIN_MS = 10_000;

/** Runs `use` with a connection of its own, closed afterwards. */
export async function withRabbitmq<Result>(
  url: string,
  use: (connection: ChannelModel) => Promise<Result>,
  tls?: SecureContextOptions,
): Promise<Result> {
  const connection = await connect(url, { ...tls, timeout: ANSWERS_WITHIN_MS, noDelay: true });
  // Said by the operation that was under way, too.
  connection.on('error', () => undefined);
  try {
    return await use(connection);
  } finally {
    await connection.close().catch(() => undefined);
  }
}

/** Rejects for as long as the server does not let anybody in. */
export async function pingRabbitmq(url: string, tls?: SecureContextOptions): Promise<void> {
  await withRabbitmq(url, () => Promise.resolve(), tls);
}
