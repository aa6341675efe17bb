/** Bytes of one record; more than that is spread over several, so that a message as large as its own topic allows can be kept here too. */
const PART_BYTES = 400_000;
const LENGTH_BYTES = 4;

/** What is known of a thing, and its bytes, as one buffer. */
export function pack(meta: object, body: Buffer): Buffer {
  const text = Buffer.from(JSON.stringify(meta));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, body]);
}

export function unpack<Meta>(packed: Buffer): { readonly meta: Meta; readonly body: Buffer } {
  const from = LENGTH_BYTES + packed.readUInt32BE(0);
  return {
    meta: JSON.parse(packed.toString('utf8', LENGTH_BYTES, from)) as Meta,
    body: packed.subarray(from),
  };
}

export function partsOf(packed: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < packed.length; at += PART_BYTES) parts.push(packed.subarray(at, at + PART_BYTES));
  return parts;
}

/** Puts together what was spread over several records. */
export class Joiner {
  private readonly open = new Map<string, Buffer[]>();

  /** @returns the whole, with the last part */
  add(id: string, part: number, parts: number, bytes: Buffer): Buffer | undefined {
    if (parts === 1) return bytes;
    let found = this.open.get(id);
    if (!found || part === 0) this.open.set(id, (found = []));
    found[part] = bytes;
    if (part !== parts - 1 || found.filter(Boolean).length !== parts) return undefined;
    this.open.delete(id);
    return Buffer.concat(found);
  }
}
