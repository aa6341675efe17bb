import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

type Decoder = (body: Buffer) => Promise<Buffer>;

const decoders: Readonly<Record<string, Decoder | undefined>> = {
  gzip: promisify(zlib.gunzip) as Decoder,
  'x-gzip': promisify(zlib.gunzip) as Decoder,
  deflate: promisify(zlib.inflate) as Decoder,
  br: promisify(zlib.brotliDecompress) as Decoder,
  // Since Node 22.15.
  ...('zstdDecompress' in zlib && { zstd: promisify(zlib.zstdDecompress) as Decoder }),
};

/** Whether who sends this `Accept-Encoding` can read the encoding (RFC 9110, section 12.5.3). */
export function accepts(header: string | readonly string[] | undefined, encoding: string): boolean {
  if (header === undefined) return true;
  let others = false;
  for (const part of String(header).toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map(text => text.trim());
    const weight = parameters.find(parameter => parameter.startsWith('q='))?.slice(2);
    const isWanted = weight === undefined || Number(weight) > 0;
    if (name === encoding.toLowerCase()) return isWanted;
    if (name === '*') others = isWanted;
  }
  return others;
}

/** What the body is without its encoding; `undefined` where that cannot be told. */
export async function decoded(body: Buffer, encoding: string): Promise<Buffer | undefined> {
  const decoder = decoders[encoding.toLowerCase()];
  return decoder?.(body).catch(() => undefined);
}
