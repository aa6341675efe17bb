import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Connection } from 'pg';
import type { EntityManager } from 'typeorm';

/** What of pg's client is needed to cancel its statement; not in its public types. */
export interface CancellableClient {
  readonly host: string;
  readonly port: number;
  readonly processID: number | null;
  readonly secretKey: number | null;
  readonly ssl: false | true | ConnectionOptions;
  readonly connection: { readonly stream: { readonly remoteAddress?: string; destroy(error?: Error): void } };
}

/** The part of pg's protocol connection that a request to cancel uses. */
interface ProtocolConnection {
  readonly stream: { destroy(): void };
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
  on(event: 'connect' | 'sslconnect' | 'end' | 'error', listener: () => void): void;
}

/** How long the request to cancel may take, in milliseconds. */
const cancelTimeoutMs = 1_000;

/**
 * Asks the server to cancel what this client runs, by a connection of its own (the protocol's CancelRequest), which needs
 * no place in the pool and no login. Resolves when the server has closed it, or when there is no getting through.
 */
export function requestCancel(client: CancellableClient): Promise<void> {
  const { processID, secretKey, host, port, ssl } = client;
  if (processID === null || secretKey === null) return Promise.resolve();
  const ProtocolConnection = Connection as unknown as new (options: object) => ProtocolConnection;
  // The address that this client reached, as a name may stand for several servers; TLS still checks the name.
  const address = client.connection.stream.remoteAddress ?? host;
  const tls = typeof ssl === 'object' && isIP(host) === 0 ? { ...ssl, servername: host } : ssl;
  const connection = new ProtocolConnection({ ssl: tls });
  return new Promise(resolve => {
    const timer = setTimeout(() => connection.stream.destroy(), cancelTimeoutMs);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    connection.on('end', done);
    // The statement then ends by itself, or its connection is cut: the caller waits no longer either way.
    connection.on('error', done);
    connection.on('connect', () => (tls ? connection.requestSsl() : connection.cancel(processID, secretKey)));
    connection.on('sslconnect', () => connection.cancel(processID, secretKey));
    if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
    else connection.connect(port, address);
  });
}

/**
 * Asks the server to cancel the statement that runs on the connection of a transaction. Nothing else may be sent on it until this has resolved: the
 * request would hit that.
 * @param manager of a running transaction
 */
export async function cancelStatementOf(manager: EntityManager): Promise<void> {
  await requestCancel((await manager.queryRunner!.connect()) as CancellableClient);
}
