import type { LaunchPlace } from '../dev-services/service.definition.js';
import type { ServerCertificates } from '../tls/certificates.js';

/** An account of a NATS server. */
export interface NatsUser {
  name: string;
  password: string;
  /** Subjects that it may publish to. @default all */
  publish?: readonly string[];
  /** Subjects that it may subscribe to. @default all */
  subscribe?: readonly string[];
}

/** What a NATS server of one's own is like. */
export interface NatsServerOptions {
  /**
   * How clients log in: by name and password, by a token, by a key pair (whose public part is said), or as `config` says. The first two are made for
   * this server. @default 'user'
   */
  auth?: 'user' | 'token' | 'none' | { nkey: string };
  /** Accounts besides the main one, with `auth: 'user'`. */
  users?: readonly NatsUser[];
  /** Further text of the configuration file, e.g. `max_payload: 4KB`. */
  config?: string;
  /** @default true */
  jetstream?: boolean;
  /**
   * Speaks TLS only, with certificates made on the spot. A client's own certificate is demanded with `{ clientCertificate: 'required' }`.
   * @default false
   */
  tls?: boolean | { clientCertificate: 'optional' | 'required' };
}

/** What a launch plan is made from. @internal */
export interface NatsSettings extends Omit<NatsServerOptions, 'tls'> {
  certificates?: ServerCertificates;
  clientCertificate?: 'optional' | 'required';
}

/** The main account. @internal */
export const NATS_USER = 'core';

/** The files that a server reads, by name; absolute paths in them begin with `folder`. @internal */
export function natsFiles(
  settings: NatsSettings,
  { folder, secret }: Pick<LaunchPlace, 'folder' | 'secret'>,
  host: string,
): Record<string, string> {
  const { jetstream = true, certificates, clientCertificate = 'optional', config = '' } = settings;
  const file = (name: string): string => JSON.stringify(`${folder}/${name}`.replaceAll('\\', '/'));
  const lines = [
    `host: ${JSON.stringify(host)}`,
    'ping_interval: "20s"',
    ...(jetstream
      ? [`jetstream { store_dir: ${file('data')}, max_memory_store: 512MB, max_file_store: 8GB, sync_interval: "10s" }`]
      : []),
    ...authorization(settings, secret),
    ...(certificates
      ? [
          `tls { cert_file: ${file('server.crt')}, key_file: ${file('server.key')}, ca_file: ${file('ca.crt')},`,
          `  verify: ${clientCertificate === 'required'} }`,
        ]
      : []),
    config,
  ];
  return {
    'nats.conf': `${lines.join('\n')}\n`,
    ...(certificates && {
      'ca.crt': certificates.ca,
      'server.crt': certificates.server.cert,
      'server.key': certificates.server.key,
    }),
  };
}

/** The name and the password, or the token, of the main account, as a URL has them. @internal */
export function natsAccount({ auth = 'user' }: NatsSettings, secret: string): string {
  if (auth === 'user') return `${NATS_USER}:${secret}@`;
  return auth === 'token' ? `${secret}@` : '';
}

function authorization({ auth = 'user', users = [] }: NatsSettings, secret: string): string[] {
  if (auth === 'none') return [];
  if (auth === 'token') return [`authorization { token: ${JSON.stringify(secret)} }`];
  if (typeof auth === 'object') return [`authorization { users: [ { nkey: ${auth.nkey} } ] }`];
  const accounts = [{ name: NATS_USER, password: secret }, ...users].map(account => JSON.stringify(entry(account)));
  return [`authorization { users: [ ${accounts.join(', ')} ] }`];
}

function entry({ name, password, publish, subscribe }: NatsUser): object {
  return { user: name, password, ...((publish ?? subscribe) && { permissions: { publish, subscribe } }) };
}
