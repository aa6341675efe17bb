/**
 * What a value says of itself, before its bytes: the version of this format; a byte of serialiser (bits 0–2), compression (bits 3–4) and whether
 * it is encrypted (bit 5); and if it is, the length of the key's id and the id.
 */
export interface Header {
  readonly serialiser: number;
  readonly compression: number;
  readonly keyId?: string;
}

const VERSION = 1;
const ENCRYPTED = 0b10_0000;
const KNOWN_BITS = 0b11_1111;

export function headerBytes({ serialiser, compression, keyId }: Header): Buffer {
  const settings = serialiser | (compression << 3);
  if (keyId === undefined) return Buffer.from([VERSION, settings]);
  const id = Buffer.from(keyId, 'latin1');
  return Buffer.concat([Buffer.from([VERSION, settings | ENCRYPTED, id.length]), id]);
}

/** `undefined` for a version or settings to come, and for what is no value of ours. */
export function parseHeader(bytes: Buffer): { header: Header; length: number } | undefined {
  const [version, settings, idLength] = bytes;
  if (version !== VERSION || settings === undefined || (settings & ~KNOWN_BITS) !== 0) return undefined;
  const serialiser = settings & 0b111;
  const compression = (settings >> 3) & 0b11;
  if ((settings & ENCRYPTED) === 0) return { header: { serialiser, compression }, length: 2 };
  if (idLength === undefined || bytes.length < 3 + idLength) return undefined;
  const length = 3 + idLength;
  return { header: { serialiser, compression, keyId: bytes.toString('latin1', 3, length) }, length };
}
