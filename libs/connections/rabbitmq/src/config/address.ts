const expectedUrl =
  'an address such as amqp://user:password@host:5672/vhost (amqps:// with TLS), special characters percent-encoded';

/**
 * Takes an address apart into fields of the configuration, as RabbitMQ's URI specification says: without a path the virtual host is the configured one.
 * The error never repeats the text, which holds a password.
 * @throws Error whose message says what was expected
 */
export function parseRabbitmqUrl(text: string): Record<string, unknown> {
  const url = parse(text.trim());
  const scheme = url.protocol.slice(0, -1).toLowerCase();
  if (scheme !== 'amqp' && scheme !== 'amqps') throw new Error('an address that begins with amqp:// or amqps://');
  const query = Object.fromEntries(url.searchParams);
  const unknown = Object.keys(query).find(key => key !== 'heartbeat');
  if (unknown) throw new Error(`an address without the unknown parameter "${unknown}"`);
  // A path of nothing but a slash would be the virtual host without a name, which is what nobody means.
  const vhost = decode(url.pathname.slice(1));
  const seconds = query.heartbeat === undefined ? undefined : Number(query.heartbeat);
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= 0))
    throw new Error('an address whose heartbeat is a number of seconds');
  return {
    ...(url.username && { user: decode(url.username) }),
    ...(url.password && { password: decode(url.password) }),
    ...(url.hostname && { host: decode(url.hostname).replace(/^\[(.*)\]$/, '$1') }),
    ...(url.port ? { port: Number(url.port) } : scheme === 'amqps' && { port: 5671 }),
    ...(vhost && { vhost }),
    ...(seconds !== undefined && { heartbeatMs: seconds * 1_000 }),
    ...(scheme === 'amqps' && { 'tls.enabled': true }),
  };
}

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new Error(expectedUrl);
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(expectedUrl);
  }
}
