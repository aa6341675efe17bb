import type { LaunchPlace } from '../dev-services/service.definition.js';
import type { Certificate } from '../tls/certificates.js';

/** An account of a Redis. */
export interface RedisUser {
  name: string;
  password: string;
  /** ACL rules as `ACL SETUSER` takes them. @default '~* &* +@all' */
  rules?: string;
}

/** What a Redis of one's own is like. */
export interface RedisServerOptions {
  /** Further arguments, e.g. `['--maxmemory', '20mb', '--maxmemory-policy', 'allkeys-lru']`. */
  args?: readonly string[];
  /** The password of the default user; `true` is one made for this server, `false` none. @default true */
  password?: boolean | string;
  /** Accounts besides the default one. */
  users?: readonly RedisUser[];
  /** Keeps the data over stops, kills and starts, in an append-only file. @default false */
  durable?: boolean;
  /**
   * Speaks TLS only, with certificates made on the spot. A client's own certificate is verified when it has one, or
   * demanded with `{ clientCertificate: 'required' }`. @default false
   */
  tls?: boolean | { clientCertificate: 'optional' | 'required' };
}

/** The certificates of a server and what its clients need. */
export interface RedisCertificates {
  ca: string;
  server: Certificate;
  client: Certificate;
}

/** What a launch plan is made from. @internal */
export interface RedisSettings extends Omit<RedisServerOptions, 'tls'> {
  certificates?: RedisCertificates;
  clientCertificate?: 'optional' | 'required';
  /** Whether it is a node of a cluster. */
  cluster?: boolean;
}

/** Where a node of a cluster talks to the others: a port on the other side of the range, since the usual one, 10,000 above, may not exist. @internal */
export function busPort(port: number): number {
  return port > 40_000 ? port - 10_000 : port + 10_000;
}

/** The password of the default user; `undefined` when it has none. @internal */
export function redisPassword({ password = true }: RedisSettings, secret: string): string | undefined {
  if (password === true) return secret;
  return password === false ? undefined : password;
}

/** The files that a server reads, by name; absolute paths in them begin with `folder`. @internal */
export function redisFiles(
  settings: RedisSettings,
  { folder, secret, durable: keepsData }: LaunchPlace,
  bind: string,
): Record<string, string> {
  const { users = [], durable = false, certificates, clientCertificate = 'optional' } = settings;
  const password = redisPassword(settings, secret);
  const file = (name: string): string => quote(`${folder}/${name}`.replaceAll('\\', '/'));
  const lines = [
    `bind ${bind}`,
    'protected-mode no',
    `dir ${quote(folder.replaceAll('\\', '/'))}`,
    'save ""',
    `appendonly ${durable || keepsData ? 'yes' : 'no'}`,
    // What a killed process has written stays; only a power cut would take it, and only a project's data survive that.
    `appendfsync ${keepsData ? 'everysec' : 'no'}`,
    // The command line stays what it is: a server that has lost its guard is recognised by its folder in it.
    'set-proc-title no',
    ...(password ? [`requirepass ${quote(password)}`, `masterauth ${quote(password)}`] : []),
    ...users.map(({ name, password: own, rules = '~* &* +@all' }) => `user ${name} on ${quote(`>${own}`)} ${rules}`),
    ...(certificates
      ? [
          `tls-cert-file ${file('server.crt')}`,
          `tls-key-file ${file('server.key')}`,
          `tls-ca-cert-file ${file('ca.crt')}`,
          `tls-auth-clients ${clientCertificate === 'required' ? 'yes' : 'optional'}`,
        ]
      : []),
  ];
  return {
    'redis.conf': `${lines.join('\n')}\n`,
    ...(certificates && {
      'ca.crt': certificates.ca,
      'server.crt': certificates.server.cert,
      'server.key': certificates.server.key,
    }),
  };
}

/** The arguments after the configuration file. @internal */
export function redisArguments({ args = [], certificates, cluster }: RedisSettings, port: number): string[] {
  const listen = certificates ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port)];
  return [...listen, ...(cluster ? ['--cluster-port', String(busPort(port))] : []), ...args];
}

/** A word of a configuration file. @internal */
export function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
