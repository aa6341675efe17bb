import { createHash, randomBytes } from 'node:crypto';
import type { LaunchPlace } from '../dev-services/service.definition.js';
import type { ServerCertificates } from '../tls/certificates.js';

/** Patterns of names, as RabbitMQ takes them. */
export interface RabbitmqPermissions {
  configure?: string;
  write?: string;
  read?: string;
}

/** An account of a RabbitMQ. */
export interface RabbitmqUser {
  name: string;
  password: string;
  /** Where it may enter, and what it may do there; what is not said is `.*`. @default { '/': {} } */
  vhosts?: Readonly<Record<string, RabbitmqPermissions>>;
}

/** What a RabbitMQ of one's own is like. */
export interface RabbitmqServerOptions {
  /** Further lines of `rabbitmq.conf`, e.g. `['vm_memory_high_watermark.absolute = 1MB']` for an alarm. */
  config?: readonly string[];
  /** Accounts besides the administrator's. */
  users?: readonly RabbitmqUser[];
  /** Virtual hosts besides `/`; the administrator may enter all of them. */
  vhosts?: readonly string[];
  /**
   * Speaks TLS only, with certificates made on the spot. A client's own certificate is verified when it has one, or demanded with
   * `{ clientCertificate: 'required' }`. @default false
   */
  tls?: boolean | { clientCertificate: 'optional' | 'required' };
}

/** What a launch plan is made from. @internal */
export interface RabbitmqSettings extends Omit<RabbitmqServerOptions, 'tls'> {
  certificates?: ServerCertificates;
  clientCertificate?: 'optional' | 'required';
}

/** The administrator. @internal */
export const RABBITMQ_USER = 'core';

/** The files that a server reads, by name; absolute paths in them begin with `folder`. @internal */
export function rabbitmqFiles(
  settings: RabbitmqSettings,
  { folder, secret }: Pick<LaunchPlace, 'folder' | 'secret'>,
  port: number,
  bind: string,
): Record<string, string> {
  const { config = [], certificates, clientCertificate = 'optional' } = settings;
  const lines = [
    ...(certificates
      ? [
          'listeners.tcp = none',
          `listeners.ssl.1 = ${bind}:${port}`,
          `ssl_options.cacertfile = ${folder}/ca.crt`,
          `ssl_options.certfile = ${folder}/server.crt`,
          `ssl_options.keyfile = ${folder}/server.key`,
          'ssl_options.verify = verify_peer',
          `ssl_options.fail_if_no_peer_cert = ${clientCertificate === 'required'}`,
        ]
      : [`listeners.tcp.1 = ${bind}:${port}`]),
    'loopback_users = none',
    `load_definitions = ${folder}/definitions.json`,
    'log.console = true',
    'log.console.level = info',
    'log.file = false',
    ...config,
  ];
  return {
    'rabbitmq.conf': `${lines.join('\n')}\n`,
    'definitions.json': JSON.stringify(definitions(settings, secret)),
    ...(certificates && {
      'ca.crt': certificates.ca,
      'server.crt': certificates.server.cert,
      'server.key': certificates.server.key,
    }),
  };
}

function definitions({ users = [], vhosts = [] }: RabbitmqSettings, secret: string): object {
  const names = ['/', ...vhosts];
  const everywhere = Object.fromEntries(names.map(name => [name, {}]));
  const accounts = [
    { name: RABBITMQ_USER, password: secret, vhosts: everywhere, tags: 'administrator' },
    ...users.map(user => ({ vhosts: { '/': {} }, ...user, tags: '' })),
  ];
  return {
    vhosts: names.map(name => ({ name })),
    users: accounts.map(({ name, password, tags }) => ({
      name,
      password_hash: hash(password),
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags,
    })),
    permissions: accounts.flatMap(({ name: user, vhosts: allowed }) =>
      Object.entries(allowed as Record<string, RabbitmqPermissions>).map(([vhost, patterns]) => ({
        user,
        vhost,
        configure: '.*',
        write: '.*',
        read: '.*',
        ...patterns,
      })),
    ),
  };
}

/** As RabbitMQ's guide to passwords says: a salt of four bytes, then the digest of the salt and the password. */
function hash(password: string): string {
  const salt = randomBytes(4);
  return Buffer.concat([salt, createHash('sha256').update(salt).update(password, 'utf8').digest()]).toString('base64');
}
