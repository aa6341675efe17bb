/** As the client library has a message: its headers, whose length it knows, and then its body. */
interface Parts {
  readonly _msg?: { readonly hdr?: number };
  readonly _rdata?: Uint8Array;
}

const PREFIX = 'NATS/1.0';

/** Headers of a message, whatever strangers have put there. */
export class RawHeaders implements Iterable<[string, string[]]> {
  private readonly values = new Map<string, string[]>();
  /** Of a status of the server, which is no message; else 0. */
  readonly code: number;
  readonly description: string;

  constructor(text: string) {
    const [first = '', ...lines] = text.split('\r\n');
    const status = first.slice(PREFIX.length).trim();
    this.code = /^\d{3}(?: |$)/.test(status) ? Number(status.slice(0, 3)) : 0;
    this.description = this.code > 0 ? status.slice(3).trim() : '';
    for (const line of lines) {
      const end = line.indexOf(':');
      if (end < 0) continue;
      const name = line.slice(0, end);
      const value = line.slice(end + 1).trim();
      const known = this.values.get(name);
      if (known) known.push(value);
      else this.values.set(name, [value]);
    }
  }

  /** The first of that name; empty if there is none. */
  get(name: string): string {
    return this.values.get(name)?.[0] ?? '';
  }

  [Symbol.iterator](): Iterator<[string, string[]]> {
    return this.values.entries();
  }
}

/**
 * Reads them from the bytes. The client library takes a time that grows with the square of their number; and for a name or a value against its rules it
 * throws an error, which ends the connection when it is thrown where messages arrive.
 */
export function headersOf(message: object): RawHeaders | undefined {
  const { _msg: { hdr = -1 } = {}, _rdata: bytes } = message as Parts;
  if (!bytes || hdr <= 0) return undefined;
  return new RawHeaders(Buffer.from(bytes.buffer, bytes.byteOffset, hdr).toString());
}
