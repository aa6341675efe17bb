import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { importPackage } from '@core-infra/kernel';
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import type { KafkaCompression } from '../../config/kafka.config.js';
import { KafkaCompressionError } from '../../errors.js';

interface Codec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

const types: Readonly<Record<KafkaCompression, CompressionTypes>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

/**
 * kafkajs's number of a compression, with its codec in place; `zstd` can be read from then on whatever is chosen, as Node brings it.
 * @throws KafkaCompressionError, MissingPackageError when there is none
 */
export async function prepareCompression(compression: KafkaCompression, id: string): Promise<CompressionTypes> {
  const zstd = zstdCodec();
  if (zstd && !isThere(CompressionTypes.ZSTD)) CompressionCodecs[CompressionTypes.ZSTD] = () => zstd;
  const type = types[compression];
  if (type === CompressionTypes.None || isThere(type)) return type;
  if (compression === 'zstd')
    throw new KafkaCompressionError('zstd', 'Run Node 22.15 or newer, or choose another compression.');
  const packageName = `kafkajs-${compression}`;
  const found = await importPackage(() => import(packageName) as Promise<{ default: unknown }>, id, [packageName]);
  CompressionCodecs[type] = codecOf(found.default) as never;
  return type;
}

/** kafkajs-snappy exports the codec's factory, kafkajs-lz4 a class that has it. */
function codecOf(exported: unknown): unknown {
  const named = exported as { prototype?: { codec?: unknown }; default?: unknown };
  if (named.default !== undefined) return codecOf(named.default);
  if (named.prototype && 'codec' in named.prototype)
    return (new (exported as new () => { codec: unknown })() as { codec: unknown }).codec;
  return exported;
}

/** Whether kafkajs has a codec; those it lacks throw when they are asked for. */
function isThere(type: CompressionTypes): boolean {
  try {
    (CompressionCodecs as Record<number, () => unknown>)[type]?.();
    return true;
  } catch {
    return false;
  }
}

function zstdCodec(): Codec | undefined {
  const { zstdCompress, zstdDecompress } = zlib as Partial<typeof zlib>;
  if (!zstdCompress || !zstdDecompress) return undefined;
  const compress = promisify(zstdCompress) as (data: Buffer) => Promise<Buffer>;
  const decompress = promisify(zstdDecompress) as (data: Buffer) => Promise<Buffer>;
  return { compress: ({ buffer }) => compress(buffer), decompress };
}
