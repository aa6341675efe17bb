/** As the client library has a message: its headers, whose length it knows, and then its body. */
interface Parts {
  readonly _msg?: { readonly hdr?: number };
  readonly _rdata?: Uint8Array;
}

const PREFIX = 'NATS/1.0';

/** Headers of a message, whatever strangers have put there. */
export class RawHeaders {
  /** In their order; one that comes twice is here twice. */
  readonly names: readonly string[];
  /** Each at the place of its name. */
  readonly values: readonly string[];
  /** Of a status of the server, which is no message; else 0. */
  readonly code: number;
  readonly description: string;

  constructor(text: string) {
    const names: string[] = [];
    const values: string[] = [];
    let end = endOfLine(text, 0);
    const status = end > PREFIX.length ? text.slice(PREFIX.length, end).trim() : '';
    this.code = /^\d{3}(?: |$)/.test(status) ? Number(status.slice(0, 3)) : 0;
    this.description = this.code > 0 ? status.slice(3).trim() : '';
    let colon = 0;
    for (let at = end + 2; at < text.length; at = end + 2) {
      end = endOfLine(text, at);
      // Looked for once, however many lines have none.
      if (colon < at) colon = text.indexOf(':', at);
      if (colon < 0) break;
      if (colon >= end) continue;
      names.push(text.slice(at, colon));
      values.push(text.slice(colon + 1, end).trim());
    }
    this.names = names;
    this.values = values;
  }

  /** The first of that name; empty if there is none. */
  get(name: string): string {
    return this.values[this.names.indexOf(name)] ?? '';
  }
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\r\n', from);
  return end < 0 ? text.length : end;
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
