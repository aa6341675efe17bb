import type { DeadLetter } from '../../stores/dead-letters.js';
import { pack, unpack } from './packed.js';

export function packLetter({ message: { body, ...message }, ...rest }: DeadLetter): Buffer {
  return pack({ ...rest, message }, body);
}

/** @returns nothing of bytes that are no letter */
export function unpackLetter(bytes: Buffer): DeadLetter | undefined {
  const { known, body } = unpack<DeadLetter>(bytes) ?? {};
  return known?.message && { ...known, message: { ...known.message, body: body! } };
}
