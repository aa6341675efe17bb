import type { InternalCommand } from './internals.js';

/** Commands whose key stands behind a subcommand, where ioredis does not look for it. */
const keyed: ReadonlySet<string> = new Set(['object', 'memory', 'xinfo', 'xgroup']);
const confined = new WeakSet<InternalCommand>();

/**
 * Confines `SCAN` and `KEYS` to the keys that begin with a prefix, and takes it off those that are found, as Redis itself and ioredis leave
 * patterns and replies as they are: so code sees the same keys whether it reads, writes or scans. The key of `OBJECT`, `MEMORY USAGE`, `XINFO` and
 * `XGROUP` gets the prefix as well.
 */
export function confine(command: InternalCommand, prefix: string): void {
  const name = command.name.toLowerCase();
  if (keyed.has(name)) return prefixKeyed(command, name, prefix);
  if ((name !== 'scan' && name !== 'keys') || confined.has(command)) return;
  confined.add(command);
  const before = escapeGlob(prefix);
  if (name === 'keys') command.args[0] = joined(before, command.args[0] ?? '*');
  else scopeScan(command, before);
  const transform = command.transformReply.bind(command);
  const strip = (key: unknown) => withoutPrefix(key, prefix);
  command.transformReply = reply => {
    const found = transform(reply);
    if (!Array.isArray(found)) return found;
    if (name === 'keys') return found.map(strip);
    const [cursor, keys] = found as [unknown, unknown[]];
    return [cursor, Array.isArray(keys) ? keys.map(strip) : keys];
  };
}

function prefixKeyed(command: InternalCommand, name: string, prefix: string): void {
  const [subcommand, key] = command.args;
  if (key === undefined || confined.has(command)) return;
  if (name === 'memory' && String(subcommand).toUpperCase() !== 'USAGE') return;
  confined.add(command);
  command.args[1] = joined(prefix, key);
}

/** A text as a glob pattern of Redis that means just that text. */
export function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^]/g, '\\$&');
}

function scopeScan(command: InternalCommand, before: string): void {
  for (let at = 1; at + 1 < command.args.length; at += 2) {
    if (String(command.args[at]).toUpperCase() !== 'MATCH') continue;
    command.args[at + 1] = joined(before, command.args[at + 1]!);
    return;
  }
  command.args.push('MATCH', `${before}*`);
}

function joined(before: string, pattern: string | Buffer): string | Buffer {
  return typeof pattern === 'string' ? before + pattern : Buffer.concat([Buffer.from(before), pattern]);
}

function withoutPrefix(key: unknown, prefix: string): unknown {
  if (typeof key === 'string') return key.startsWith(prefix) ? key.slice(prefix.length) : key;
  return Buffer.isBuffer(key) ? key.subarray(Buffer.byteLength(prefix)) : key;
}
