import { kafkaNode } from '../dev-services/services/kafka.service.js';
import { startServer } from '../dev-services/service.start.js';
import { type Started, useStarted } from '../helpers/use-started.js';
import { certificateAuthority } from '../tls/certificates.js';
import { grant } from './kafka.admin.js';
import { adminPort, type KafkaCertificates, type KafkaServerOptions, type KafkaSettings } from './kafka.settings.js';

/** What a client of a broker with TLS needs, as PEM. */
export interface KafkaTls {
  ca: string;
  /** A certificate of the client's own, and its key; its account is `CN=spec-client`. */
  cert: string;
  key: string;
}

/** A Kafka of one's own, to be stopped and killed at will. Its data survive that. */
export interface KafkaServer extends AsyncDisposable {
  /** Where clients come in; stays the same over stops and starts. */
  readonly brokers: string[];
  readonly host: string;
  readonly port: number;
  /** Where nobody is asked anything and everything is allowed: for what a spec prepares. */
  readonly adminBrokers: string[];
  /** `undefined` without TLS. */
  readonly tls: KafkaTls | undefined;
  stop(): Promise<void>;
  /** Starts it again on the same port; resolves when it serves. After a kill that takes some seconds. */
  start(): Promise<void>;
  restart(): Promise<void>;
  /** @param signal `SIGKILL` is a crash; `SIGSTOP` hangs it until `SIGCONT`. @default 'SIGKILL' */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops the broker and removes its data; resolves when nothing is left. */
  dispose(): Promise<void>;
}

/**
 * Starts a Kafka that nobody shares; an address in the environment is not used, since it could not be stopped.
 *
 * @throws {@link ServiceMissingError} when it cannot be had; {@link ServiceStartError} when it did not come up.
 */
export async function startKafka({ tls = false, ...options }: KafkaServerOptions = {}): Promise<KafkaServer> {
  const certificates = tls === false ? undefined : makeCertificates();
  const clientCertificate = typeof tls === 'object' ? tls.clientCertificate : 'optional';
  const settings: KafkaSettings = { ...options, clientCertificate, ...(certificates && { certificates }) };
  const { host } = await startServer(kafkaNode(settings), { kind: 'private' });
  const port = host.port ?? 0;
  const admin = adminPort(settings, port);
  const dispose = (): Promise<void> => host.end();
  try {
    await grant(admin, options.acl ? (options.users ?? []) : []);
  } catch (error) {
    await dispose();
    throw error;
  }
  const stop = (): Promise<void> => host.stop();
  const start = (): Promise<void> => host.start();
  return {
    brokers: [`127.0.0.1:${port}`],
    host: '127.0.0.1',
    port,
    adminBrokers: [`127.0.0.1:${admin}`],
    tls: certificates && { ca: certificates.ca, cert: certificates.client.cert, key: certificates.client.key },
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

/** {@link startKafka} for the specs of a file or of a `describe`: started before them, gone after them. */
export function useKafkaServer(options?: KafkaServerOptions): Started<KafkaServer> {
  return useStarted(() => startKafka(options), [kafkaNode()]);
}

function makeCertificates(): KafkaCertificates {
  const authority = certificateAuthority('Spec authority');
  return {
    ca: authority.cert,
    server: authority.issue('localhost', ['localhost', '127.0.0.1']),
    client: authority.issue('spec-client'),
  };
}
