import type { DeadLetter } from '../../stores/dead-letters.js';

/** A letter as bytes: the length of what is known of it, that as JSON, and the body as it came. */
export function packLetter({ message: { body, ...message }, ...rest }: DeadLetter): Buffer {
  const known = Buffer.from(JSON.stringify({ ...rest, message }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(known.length);
  return Buffer.concat([length, known, body]);
}

/** @returns nothing of bytes that are no letter */
export function unpackLetter(bytes: Buffer): DeadLetter | undefined {
  try {
    const end = 4 + bytes.readUInt32BE();
    const { message, ...rest } = JSON.parse(bytes.toString('utf8', 4, end)) as DeadLetter;
    return { ...rest, message: { ...message, body: bytes.subarray(end) } };
  } catch {
    return undefined;
  }
}
