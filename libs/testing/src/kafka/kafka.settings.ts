import type { Certificate } from '../tls/certificates.js';

/** How clients prove who they are by a password. */
export type KafkaSaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER';

/** What an account may do, where a broker has ACLs. Names may end in `*`. */
export interface KafkaGrant {
  topic?: string;
  group?: string;
  /** `READ`, `WRITE`, `DESCRIBE`, …, as Kafka calls them. @default ['ALL'] */
  operations?: readonly string[];
}

/** An account of a broker. Of a client certificate the name is its subject: `CN=spec-client`. */
export interface KafkaUser {
  name: string;
  /** Needed with SASL. */
  password?: string;
  /** What it may do with `acl`; nobody is asked without. @default nothing */
  allow?: readonly KafkaGrant[];
}

/** What a Kafka of one's own is like. */
export interface KafkaServerOptions {
  /** Clients log in by these; the accounts are `users`. @default none: PLAINTEXT or SSL */
  sasl?: readonly KafkaSaslMechanism[];
  users?: readonly KafkaUser[];
  /** Speaks TLS, with certificates made on the spot; `{ clientCertificate: 'required' }` demands one of its clients too. @default false */
  tls?: boolean | { clientCertificate: 'optional' | 'required' };
  /** Whether an account may only do what its `allow` says. @default false */
  acl?: boolean;
  /** Further lines of `server.properties`: `{ 'message.max.bytes': '2048' }`. */
  properties?: Readonly<Record<string, string>>;
}

/** The certificates of a broker and what its clients need. */
export interface KafkaCertificates {
  ca: string;
  server: Certificate;
  client: Certificate;
}

/** What a launch plan is made from. @internal */
export interface KafkaSettings extends Omit<KafkaServerOptions, 'tls'> {
  certificates?: KafkaCertificates;
  clientCertificate?: 'optional' | 'required';
  /** Of a cluster: which of these controllers is beside this broker, counted from 1. */
  cluster?: { node: number; controllerPorts: readonly number[] };
}

/** A port of the same server for others than its clients; somebody may have it, which is tried again like any port that is taken. */
function further(port: number, by: number): number {
  return port - by > 1_024 ? port - by : port + by;
}

/** Whether clients come in by another listener than the fixture itself. */
function isGuarded({ sasl = [], certificates, acl = false }: KafkaSettings): boolean {
  return sasl.length > 0 || certificates !== undefined || acl;
}

/** Where the fixture comes in, whatever clients have to prove. @internal */
export function adminPort(settings: KafkaSettings, port: number): number {
  return isGuarded(settings) ? further(port, 12_000) : port;
}

/** `server.properties`. @internal */
export function kafkaProperties(settings: KafkaSettings, folder: string, port: number): string {
  const { cluster, acl = false, properties = {} } = settings;
  const node = cluster?.node ?? 1;
  const controllers = cluster?.controllerPorts ?? [further(port, 10_000)];
  const copies = Math.min(3, controllers.length);
  const guarded = isGuarded(settings);
  const listeners = [
    `CLIENT://127.0.0.1:${port}`,
    ...(guarded ? [`ADMIN://127.0.0.1:${adminPort(settings, port)}`] : []),
  ];
  const lines: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': node,
    'controller.quorum.voters': controllers.map((at, index) => `${index + 1}@127.0.0.1:${at}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': guarded ? 'ADMIN' : 'CLIENT',
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${controllers[node - 1]}`].join(','),
    'advertised.listeners': listeners.join(','),
    'listener.security.protocol.map': `CLIENT:${protocolOf(settings)},ADMIN:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    'log.dirs': `${folder.replaceAll('\\', '/')}/data`,
    'num.partitions': 3,
    'default.replication.factor': copies,
    'min.insync.replicas': Math.max(1, copies - 1),
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': Math.max(1, copies - 1),
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': Math.max(1, copies - 1),
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
    'auto.create.topics.enable': false,
    // So that a broker that was killed is gone for the others in 2 s, and may come back.
    'broker.session.timeout.ms': 2_000,
    'broker.heartbeat.interval.ms': 500,
    // Nobody needs a quiet end of a cluster that is thrown away.
    'controlled.shutdown.enable': controllers.length > 1,
    ...sasl(settings),
    ...tls(settings, folder),
    ...(guarded && {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      // Nobody proves anything on the fixture's own listener.
      'super.users': 'User:ANONYMOUS',
      'allow.everyone.if.no.acl.found': !acl,
    }),
    ...properties,
  };
  return `${Object.entries(lines)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;
}

/** The files beside it, by name. @internal */
export function kafkaFiles({ certificates }: KafkaSettings): Record<string, string> {
  if (!certificates) return {};
  return { 'server.pem': `${certificates.server.key}${certificates.server.cert}`, 'ca.pem': certificates.ca };
}

/** Accounts that are made as the data folder is formatted. @internal */
export function scramArguments({ sasl: mechanisms = [], users = [] }: KafkaSettings): string[] {
  return mechanisms
    .filter(mechanism => mechanism.startsWith('SCRAM'))
    .flatMap(mechanism =>
      users
        .filter(({ password }) => password !== undefined)
        .flatMap(({ name, password }) => ['--add-scram', `${mechanism}=[name=${name},password=${password}]`]),
    );
}

function protocolOf({ sasl: mechanisms = [], certificates }: KafkaSettings): string {
  return `${mechanisms.length > 0 ? 'SASL_' : ''}${certificates ? 'SSL' : 'PLAINTEXT'}`;
}

function sasl({ sasl: mechanisms = [], users = [] }: KafkaSettings): Record<string, string> {
  if (mechanisms.length === 0) return {};
  const security = 'org.apache.kafka.common.security';
  const accounts = users.map(({ name, password = '' }) => `user_${name}="${password}"`).join(' ');
  const modules: Record<KafkaSaslMechanism, string> = {
    PLAIN: `${security}.plain.PlainLoginModule required ${accounts};`,
    'SCRAM-SHA-256': `${security}.scram.ScramLoginModule required;`,
    'SCRAM-SHA-512': `${security}.scram.ScramLoginModule required;`,
    // Takes tokens that nobody has signed: whose they say they are.
    OAUTHBEARER: `${security}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
  };
  return Object.fromEntries([
    ['sasl.enabled.mechanisms', mechanisms.join(',')],
    ...mechanisms.map(mechanism => [
      `listener.name.client.${mechanism.toLowerCase()}.sasl.jaas.config`,
      modules[mechanism],
    ]),
  ]) as Record<string, string>;
}

function tls({ certificates, clientCertificate = 'optional' }: KafkaSettings, folder: string): Record<string, string> {
  if (!certificates) return {};
  const at = folder.replaceAll('\\', '/');
  return {
    'listener.name.client.ssl.keystore.type': 'PEM',
    'listener.name.client.ssl.keystore.location': `${at}/server.pem`,
    'listener.name.client.ssl.truststore.type': 'PEM',
    'listener.name.client.ssl.truststore.location': `${at}/ca.pem`,
    'listener.name.client.ssl.client.auth': clientCertificate === 'required' ? 'required' : 'requested',
  };
}
