const expectedUrl =
  'addresses such as nats://user:password@a:4222,nats://b:4222 (tls:// with TLS), special characters percent-encoded';

/**
 * Takes a list of addresses apart into fields of the configuration. A name and a password, or a token alone, may be in any of them, if they are the
 * same. The error never repeats the text, which holds a password.
 * @throws Error whose message says what was expected
 */
export function parseNatsUrls(text: string): Record<string, unknown> {
  const parts = text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
    .map(parse);
  if (parts.length === 0) throw new Error(expectedUrl);
  const logins = parts.filter(({ username, password }) => username !== '' || password !== '');
  const [first] = logins;
  if (logins.some(({ username, password }) => username !== first?.username || password !== first.password))
    throw new Error('addresses with one and the same login');
  return {
    servers: parts.map(({ host, hostname }) => (host.includes(':') ? host : `${hostname}:4222`)),
    ...(first?.password && { user: decode(first.username), password: decode(first.password) }),
    ...(first && !first.password && { token: decode(first.username) }),
    ...(parts.some(({ protocol }) => protocol === 'tls:') && { 'tls.enabled': true }),
  };
}

function parse(text: string): URL {
  let url: URL;
  try {
    url = new URL(/^[a-z][\w+.-]*:\/\//i.test(text) ? text : `nats://${text}`);
  } catch {
    throw new Error(expectedUrl);
  }
  if (url.protocol !== 'nats:' && url.protocol !== 'tls:')
    throw new Error('addresses that begin with nats:// or tls://');
  return url;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(expectedUrl);
  }
}
