import { startServer, withoutSecrets } from '../dev-services/service.start.js';
import { ownServer, type Resolution } from '../dev-services/service.definition.js';
import { redis, redisService } from '../dev-services/services/redis.service.js';
import { type Started, useStarted } from '../helpers/use-started.js';
import { certificateAuthority } from '../tls/certificates.js';
import type { RedisCertificates, RedisServerOptions } from './redis.settings.js';

/** What a client of a server with TLS needs, as PEM; fit for `new Redis(url, { tls })`. */
export interface RedisTls {
  ca: string;
  /** A certificate of the client's own, and its key. */
  cert: string;
  key: string;
}

/** A Redis of one's own, to be stopped and killed at will. */
export interface RedisServer extends AsyncDisposable {
  readonly resolution: Resolution;
  /** With the password; `rediss://` with TLS. Stays the same over stops and starts. */
  readonly url: string;
  /** Host and port: fit for a table or a log. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** Of the default user; `undefined` when it has none. */
  readonly password: string | undefined;
  /** `undefined` without TLS. */
  readonly tls: RedisTls | undefined;
  /** The address with another account in it. */
  urlFor(user: string, password: string): string;
  /** Stops the server; only a `durable` one still has its data afterwards. */
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
 * Starts a Redis that nobody shares; an address in the environment is not used, since it could not be stopped.
 *
 * @throws {@link ServiceMissingError} when it cannot be had; {@link ServiceStartError} when it did not come up.
 */
export async function startRedis({ tls = false, ...options }: RedisServerOptions = {}): Promise<RedisServer> {
  const certificates = tls === false ? undefined : makeCertificates();
  const clientCertificate = typeof tls === 'object' ? tls.clientCertificate : 'optional';
  const definition = ownServer(redisService({ ...options, clientCertificate, ...(certificates && { certificates }) }));
  const { host, resolution } = await startServer(definition, { kind: 'private' });
  const { hostname, port, password } = new URL(host.url);
  const stop = (): Promise<void> => host.stop();
  const start = (): Promise<void> => host.start();
  const dispose = (): Promise<void> => host.end();
  return {
    resolution,
    url: host.url,
    address: withoutSecrets(host.url),
    host: hostname,
    port: Number(port),
    password: password === '' ? undefined : decodeURIComponent(password),
    tls: certificates && { ca: certificates.ca, cert: certificates.client.cert, key: certificates.client.key },
    urlFor: (user, secret) => withAccount(host.url, user, secret),
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

/** {@link startRedis} for the specs of a file or of a `describe`: started before them, gone after them. */
export function useRedisServer(options?: RedisServerOptions): Started<RedisServer> {
  return useStarted(() => startRedis(options), [ownServer(redis)]);
}

function makeCertificates(): RedisCertificates {
  const authority = certificateAuthority('Spec authority');
  return {
    ca: authority.cert,
    server: authority.issue('localhost', ['localhost', '127.0.0.1']),
    client: authority.issue('spec-client'),
  };
}

function withAccount(url: string, user: string, password: string): string {
  const other = new URL(url);
  other.username = encodeURIComponent(user);
  other.password = encodeURIComponent(password);
  return other.href;
}
