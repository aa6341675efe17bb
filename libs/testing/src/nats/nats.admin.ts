import { once } from 'node:events';
import { createConnection } from 'node:net';
import { connect, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';

/** How long a server may take to answer, in milliseconds. */
const ANSWERS_WITHIN_MS = 10_000;

/** Runs `use` with a connection of its own, closed afterwards. The address may hold a name and a password, or a token. */
export async function withNats<Result>(
  url: string,
  use: (connection: NatsConnection) => Promise<Result>,
  options: ConnectionOptions = {},
): Promise<Result> {
  const { host, username, password } = new URL(url);
  const connection = await connect({
    servers: host,
    ...(password
      ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
      : username && { token: username }),
    timeout: ANSWERS_WITHIN_MS,
    reconnect: false,
    ...options,
  });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

/** Rejects for as long as nothing that speaks NATS is there; whom it lets in is not asked. */
export async function pingNats(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port) });
  try {
    // A server greets before TLS and before the login.
    const [greeting] = (await once(socket, 'data', { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) })) as [Buffer];
    if (!greeting.toString().startsWith('INFO ')) throw new Error('it does not speak NATS');
  } finally {
    socket.destroy();
  }
}
