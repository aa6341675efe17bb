/** What a DSN may say besides where the server is: our fields by libpq's names. */
const parameters: Readonly<Record<string, string>> = {
  host: 'host',
  hostaddr: 'host',
  port: 'port',
  user: 'user',
  password: 'password',
  dbname: 'database',
  sslmode: 'sslMode',
  sslrootcert: 'sslCa',
  sslcert: 'sslCert',
  sslkey: 'sslKey',
  application_name: 'applicationName',
  channel_binding: 'channelBinding',
  options: 'sessionOptions',
  statement_timeout: 'statementTimeoutMs',
  lock_timeout: 'lockTimeoutMs',
  idle_in_transaction_session_timeout: 'idleInTransactionTimeoutMs',
};

/** Parameters of libpq and of other stacks that change nothing here. */
const without = new Set(
  'fallback_application_name client_encoding gssencmode keepalives keepalives_idle keepalives_interval keepalives_count krbsrvname passfile requiressl service sslcompression sslcrl sslsni target_session_attrs tcp_user_timeout timezone uselibpqcompat'.split(
    ' ',
  ),
);

/**
 * Takes a connection string apart into fields of the configuration: `postgresql://user:password@host:5432/name?sslmode=require`,
 * or libpq's `host=… port=… user=… dbname=… sslmode=…`. The error never repeats the string, which holds a password.
 * @throws Error whose message says what was expected
 */
export function parseDsn(text: string): Record<string, unknown> {
  const trimmed = text.trim();
  return /^\w+:\/\//.test(trimmed) ? parseUrl(trimmed) : parsePairs(trimmed);
}

function parseUrl(text: string): Record<string, unknown> {
  if (!/^postgres(ql)?:\/\//.test(text)) throw new Error('a DSN that begins with postgres:// or postgresql://');
  if (/^\w+:\/\/[^/?#]*,/.test(text.replace(/^(\w+:\/\/)[^/?#]*@/, '$1')))
    throw new Error('a DSN with one host (several are not supported: name a virtual address or a proxy)');
  // The URL standard refuses an empty host behind a user, and a Unix socket's folder, percent-encoded, in the place of the host.
  const [, before = '', socket = ''] = /^(\w+:\/\/(?:[^/?#]*@)?)(%2f[^:/?#]*|(?=[/?#]|$))/i.exec(text) ?? [];
  const standsIn = before !== '';
  const host = standsIn ? decode(socket) : undefined;
  const url = parse(standsIn ? `${before}stand-in.invalid${text.slice(before.length + socket.length)}` : text);
  return namedParts(url, host ?? decode(url.hostname).replace(/^\[(.*)\]$/, '$1'));
}

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new Error('a DSN such as postgresql://user:password@host:5432/name, with special characters percent-encoded');
  }
}

function namedParts(url: URL, host: string): Record<string, unknown> {
  return named({
    ...(host && { host }),
    ...(url.port && { port: url.port }),
    ...(url.username && { user: decode(url.username) }),
    ...(url.password && { password: decode(url.password) }),
    ...(url.pathname.length > 1 && { dbname: decode(url.pathname.slice(1)) }),
    ...Object.fromEntries(url.searchParams),
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('a DSN whose special characters are percent-encoded');
  }
}

/** `host=db password='it''s'`: values with blanks stand in quotes, a backslash escapes. */
function parsePairs(text: string): Record<string, unknown> {
  const found: Record<string, string> = {};
  const rest = text.replace(
    /(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s']*))(?:\s+|$)/g,
    (_, key: string, quoted, bare) => {
      found[key] = String(quoted ?? bare ?? '').replace(/\\(.)/g, '$1');
      return '';
    },
  );
  if (rest.trim() !== '' || Object.keys(found).length === 0)
    throw new Error('a DSN: postgresql://user:password@host:5432/name, or host=… port=… user=… password=… dbname=…');
  return named(found);
}

function named(found: Record<string, string>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(found)) {
    if (key === 'connect_timeout') fields.connectTimeoutMs = Number(value) * 1_000 || undefined;
    else if (parameters[key]) fields[parameters[key]] = value;
    else if (!without.has(key)) throw new Error(`a DSN without the unknown parameter "${key}"`);
  }
  return fields;
}
