/** What is known of a message, and its body, as bytes: the length of the first, that as JSON, and the body as it came. */
export function pack(known: object, body: Buffer): Buffer {
  const text = Buffer.from(JSON.stringify(known));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, body]);
}

/** @returns nothing of bytes that were not packed so */
export function unpack<Known extends object>(bytes: Buffer): { known: Known; body: Buffer } | undefined {
  try {
    const end = 4 + bytes.readUInt32BE();
    return { known: JSON.parse(bytes.toString('utf8', 4, end)) as Known, body: bytes.subarray(end) };
  } catch {
    return undefined;
  }
}
