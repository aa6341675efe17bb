import { setTimeout as sleep } from 'node:timers/promises';
import { ownServer, type Resolution } from '../dev-services/service.definition.js';
import { startServer, withoutSecrets } from '../dev-services/service.start.js';
import { rabbitmq, rabbitmqService } from '../dev-services/services/rabbitmq.service.js';
import { type Started, useStarted } from '../helpers/use-started.js';
import { type ClientTls, serverCertificates } from '../tls/certificates.js';
import { RABBITMQ_USER, type RabbitmqServerOptions } from './rabbitmq.settings.js';

/** The delay with which Erlang's dets writes, and some more, in milliseconds. */
const SETTLED_AFTER_MS = 3_500;

/** A RabbitMQ of one's own, to be stopped and killed at will. */
export interface RabbitmqServer extends AsyncDisposable {
  readonly resolution: Resolution;
  /** With the administrator's name and password, for the virtual host `/`; `amqps://` with TLS. Stays the same over stops and starts. */
  readonly url: string;
  /** Host and port: fit for a table or a log. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** What a client needs; `undefined` without TLS. */
  readonly tls: ClientTls | undefined;
  /** The address with another account, or another virtual host, in it. */
  urlFor(user: string, password: string, vhost?: string): string;
  /**
   * Resolves when the queues that are there would survive a crash: RabbitMQ 3 writes down with a delay of three seconds that a quorum queue is new,
   * and a single broker that is killed before loses what was confirmed in it.
   */
  settled(): Promise<void>;
  /** Stops the server cleanly; its queues and persistent messages stay. */
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
 * Starts a RabbitMQ that nobody shares, in about three seconds; an address in the environment is not used, since it could not be stopped.
 *
 * @throws {@link ServiceMissingError} when it cannot be had; {@link ServiceStartError} when it did not come up.
 */
export async function startRabbitmq({ tls = false, ...options }: RabbitmqServerOptions = {}): Promise<RabbitmqServer> {
  const certificates = tls === false ? undefined : serverCertificates();
  const clientCertificate = typeof tls === 'object' ? tls.clientCertificate : 'optional';
  const definition = ownServer(
    rabbitmqService({ ...options, clientCertificate, ...(certificates && { certificates }) }),
  );
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
    user: RABBITMQ_USER,
    password: decodeURIComponent(password),
    tls: certificates && { ca: certificates.ca, cert: certificates.client.cert, key: certificates.client.key },
    urlFor: (user, secret, vhost = '/') => {
      const scheme = host.url.slice(0, host.url.indexOf(':'));
      const path = vhost === '/' ? '' : `/${encodeURIComponent(vhost)}`;
      return `${scheme}://${encodeURIComponent(user)}:${encodeURIComponent(secret)}@${hostname}:${port}${path}`;
    },
    settled: () => sleep(SETTLED_AFTER_MS),
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

/** {@link startRabbitmq} for the specs of a file or of a `describe`: started before them, gone after them. */
export function useRabbitmqServer(options?: RabbitmqServerOptions): Started<RabbitmqServer> {
  return useStarted(() => startRabbitmq(options), [ownServer(rabbitmq)]);
}
