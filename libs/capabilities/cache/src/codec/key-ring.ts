import { createSecretKey, type KeyObject } from 'node:crypto';

/** A key of `cache.codec.encryption.keys`. */
export interface EncryptionKey {
  /** Written beside each value that the key encrypted: 1 to 32 letters, digits, `_`, `.` or `-`. */
  id: string;
  /** 32 bytes, as base64, base64url or hex. */
  key: string;
}

const KEY_BYTES = 32;
const idFormat = /^[\w.-]{1,32}$/;

/** What is wrong with a list of keys, without a word of a key itself; `undefined` if nothing is. */
export function keyProblem(keys: unknown): string | undefined {
  if (!Array.isArray(keys)) return 'must be a list of { id, key }, or of id:key';
  const ids = new Set<string>();
  for (const [index, item] of keys.entries()) {
    const parsed = parse(item);
    if (!parsed) return `item ${index + 1} must be { id, key }, or id:key`;
    if (!idFormat.test(parsed.id))
      return `item ${index + 1} has an id that is not 1 to 32 letters, digits, "_", "." or "-"`;
    if (ids.has(parsed.id)) return `the id "${parsed.id}" is there twice`;
    ids.add(parsed.id);
    const bytes = bytesOf(parsed.key)?.length;
    if (bytes !== KEY_BYTES)
      return `the key "${parsed.id}" must be 32 bytes as base64 or hex${bytes === undefined ? '' : `, not ${bytes}`}: openssl rand -base64 32`;
  }
  return undefined;
}

/** The keys, by id; the first one is the one that encrypts. */
export function keyRing(keys: readonly (EncryptionKey | string)[]): ReadonlyMap<string, KeyObject> {
  return new Map(
    keys.map(item => {
      const { id, key } = parse(item)!;
      return [id, createSecretKey(bytesOf(key)!)];
    }),
  );
}

function parse(item: unknown): EncryptionKey | undefined {
  if (typeof item === 'string') {
    const [, id, key] = /^([^:]*):(.*)$/s.exec(item.trim()) ?? [];
    return id === undefined || key === undefined ? undefined : { id, key };
  }
  const { id, key } = (item ?? {}) as Partial<EncryptionKey>;
  return typeof id === 'string' && typeof key === 'string' ? { id, key } : undefined;
}

function bytesOf(text: string): Buffer | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex');
  return /^[\w+/-]+={0,2}$/.test(trimmed) ? Buffer.from(trimmed, 'base64') : undefined;
}
