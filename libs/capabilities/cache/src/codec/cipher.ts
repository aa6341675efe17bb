import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * @param bound what the result is bound to without containing it
 * @returns initialisation vector, ciphertext, tag
 */
export function encrypt(key: KeyObject, bytes: Buffer, bound: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(bound);
  return Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when a bit of it, or of what it is bound to, is another one. */
export function decrypt(key: KeyObject, bytes: Buffer, bound: Buffer): Buffer {
  const end = bytes.length - TAG_BYTES;
  if (end < IV_BYTES) throw new RangeError('shorter than an empty value');
  const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(bound);
  decipher.setAuthTag(bytes.subarray(end));
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, end)), decipher.final()]);
}
