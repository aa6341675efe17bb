import { brotliCompressSync, brotliDecompressSync, constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { CodecConfig } from './codec.config.js';
import { NoZstdError } from './errors.js';

type CompressionName = CodecConfig['compression'];

/** Their place in the list is what a value's header says. */
export const compressionNames: readonly ('none' | CompressionName)[] = ['none', 'brotli', 'zstd'];

export interface Compression {
  pack(bytes: Buffer): Buffer;
  /** Throws when the result would be larger. */
  unpack(bytes: Buffer, maxOutputLength: number): Buffer;
}

/** The quality at which packing costs about as much as the serialising before it. */
const brotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

const compressions: Readonly<Record<CompressionName, Compression>> = {
  brotli: {
    pack: bytes => brotliCompressSync(bytes, brotliOptions),
    unpack: (bytes, maxOutputLength) => brotliDecompressSync(bytes, { maxOutputLength }),
  },
  zstd: {
    pack: bytes => zstdCompressSync(bytes),
    unpack: (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
  },
};

/** `undefined` for one that this Node does not have. */
export function compressionOf(name: CompressionName): Compression | undefined {
  // Node 22.12 to 22.14 export no such function.
  return name === 'zstd' && (zstdDecompressSync as unknown) === undefined ? undefined : compressions[name];
}

/** @throws NoZstdError */
export function requireCompression(name: CompressionName): Compression {
  const found = compressionOf(name);
  if (!found) throw new NoZstdError();
  return found;
}
