import { ownServer, type Resolution } from '../dev-services/service.definition.js';
import { startServer, withoutSecrets } from '../dev-services/service.start.js';
import { nats, natsService } from '../dev-services/services/nats.service.js';
import { type Started, useStarted } from '../helpers/use-started.js';
import { type ClientTls, serverCertificates } from '../tls/certificates.js';
import { NATS_USER, type NatsServerOptions } from './nats.settings.js';

/** A NATS server of one's own, to be stopped and killed at will. */
export interface NatsServer extends AsyncDisposable {
  readonly resolution: Resolution;
  /** With what `auth` asks for, if a URL can hold it; `tls://` with TLS. Stays the same over stops and starts. */
  readonly url: string;
  /** Host and port: fit for a table or a log. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** With `auth: 'user'`, which is the default. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** With `auth: 'token'`. */
  readonly token: string | undefined;
  /** What a client needs; `undefined` without TLS. */
  readonly tls: ClientTls | undefined;
  /** The address with another account in it. */
  urlFor(user: string, password: string): string;
  /** Stops the server cleanly; its streams stay. */
  stop(): Promise<void>;
  /** Starts it again on the same port; resolves when it serves. */
  start(): Promise<void>;
  restart(): Promise<void>;
  /** @param signal `SIGKILL` is a crash; `SIGSTOP` hangs it until `SIGCONT`. @default 'SIGKILL' */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops the server and removes its data; resolves when nothing is left. */
  dispose(): Promise<void>;
}

/**
 * Starts a NATS server that nobody shares, in about a tenth of a second; an address in the environment is not used, since it could not be stopped.
 *
 * @throws {@link ServiceMissingError} when it cannot be had; {@link ServiceStartError} when it did not come up.
 */
export async function startNats({ tls = false, ...options }: NatsServerOptions = {}): Promise<NatsServer> {
  const certificates = tls === false ? undefined : serverCertificates();
  const clientCertificate = typeof tls === 'object' ? tls.clientCertificate : 'optional';
  const definition = ownServer(natsService({ ...options, clientCertificate, ...(certificates && { certificates }) }));
  const { host, resolution } = await startServer(definition, { kind: 'private' });
  const { hostname, port, username, password } = new URL(host.url);
  const { auth = 'user' } = options;
  const stop = (): Promise<void> => host.stop();
  const start = (): Promise<void> => host.start();
  const dispose = (): Promise<void> => host.end();
  return {
    resolution,
    url: host.url,
    address: withoutSecrets(host.url),
    host: hostname,
    port: Number(port),
    user: auth === 'user' ? NATS_USER : undefined,
    password: auth === 'user' ? password : undefined,
    token: auth === 'token' ? username : undefined,
    tls: certificates && { ca: certificates.ca, cert: certificates.client.cert, key: certificates.client.key },
    urlFor: (user, secret) => {
      const scheme = host.url.slice(0, host.url.indexOf(':'));
      return `${scheme}://${encodeURIComponent(user)}:${encodeURIComponent(secret)}@${hostname}:${port}`;
    },
    stop,
    start,
    restart: async () => {
      await stop();
      await start();
    },
    kill: (signal = 'SIGKILL') => host.kill(signal),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** {@link startNats} for the specs of a file or of a `describe`: started before them, gone after them. */
export function useNatsServer(options?: NatsServerOptions): Started<NatsServer> {
  return useStarted(() => startNats(options), [ownServer(nats)]);
}
