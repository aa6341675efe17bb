import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** What an answer consists of, as it leaves. */
export interface Captured {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  /** `undefined` when it is larger than was asked for. */
  readonly body: Buffer | undefined;
}

/**
 * Holds an answer back until `keep` has seen it. Everything that Nest and its adapter do to it has been done by then: serialisers, filters,
 * hooks. One that is too large is not held: it flows as usual, and `keep` is told so.
 * @param keep never rejects
 */
export function captureAnswer(raw: ServerResponse, maxBytes: number, keep: (answer: Captured) => Promise<void>): void {
  const { writeHead, write, end } = raw;
  const chunks: Buffer[] = [];
  let head: unknown[] | undefined;
  let bytes = 0;
  let callback: (() => void) | undefined;

  const seen = (body: Buffer | undefined): Captured => {
    const given = head?.at(-1);
    const own = typeof given === 'object' && given !== null && !Array.isArray(given) ? given : {};
    return {
      status: typeof head?.[0] === 'number' ? head[0] : raw.statusCode,
      headers: { ...raw.getHeaders(), ...(own as OutgoingHttpHeaders) },
      body,
    };
  };
  const restore = (): void => {
    Object.assign(raw, { writeHead, write, end });
    if (head) Reflect.apply(writeHead, raw, head);
  };
  /** Returns whether it is still held. */
  const take = (chunk: unknown, encoding: unknown): boolean => {
    if (typeof chunk === 'string')
      chunks.push(Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'));
    else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    else return true;
    bytes += chunks.at(-1)!.length;
    if (bytes <= maxBytes) return true;
    restore();
    void keep(seen(undefined));
    return false;
  };
  const held = {
    writeHead(...args: unknown[]) {
      head = args;
      return raw;
    },
    write(chunk: unknown, encoding?: unknown, written?: unknown) {
      if (!take(chunk, encoding)) return write.call(raw, Buffer.concat(chunks), undefined as never);
      for (const done of [encoding, written]) if (typeof done === 'function') process.nextTick(done as () => void);
      return true;
    },
    end(chunk?: unknown, encoding?: unknown, ended?: unknown) {
      callback = [chunk, encoding, ended].find(each => typeof each === 'function') as typeof callback;
      if (!take(chunk, encoding)) return end.call(raw, Buffer.concat(chunks), callback as never);
      const body = Buffer.concat(chunks);
      void keep(seen(body)).then(() => {
        restore();
        end.call(raw, body, callback as never);
      });
      return raw;
    },
  };
  Object.assign(raw, held);
}
