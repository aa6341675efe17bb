import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_CACHE_UNSERIALISABLE',
  summary: 'A value that is to be cached is not one that cache.codec.serialiser can carry.',
})
export class UnserialisableValueError extends InfraError {
  /**
   * @param path where in the value, `$` being the value itself
   * @param reason what is there, without the value
   */
  constructor(
    readonly serialiser: string,
    readonly path: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(
      `A value cannot be cached as ${serialiser}: ${path} ${reason}.`,
      'Cache plain data, or set cache.codec.serialiser (CACHE_CODEC_SERIALISER): superjson carries Date, BigInt, Map, Set and cycles; msgpack carries Date, BigInt, Map, Set and bytes.',
      options,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_CACHE_VALUE_TOO_LARGE',
  summary: 'A value that is to be cached is larger than cache.codec.maxValueBytes.',
})
export class ValueTooLargeError extends InfraError {
  constructor(
    readonly bytes: number,
    readonly maxValueBytes: number,
  ) {
    super(
      `A value of ${bytes} bytes is not cached: cache.codec.maxValueBytes is ${maxValueBytes}.`,
      'Cache a part of it, or raise CACHE_CODEC_MAX_VALUE_BYTES.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_CACHE_NO_ZSTD',
  summary: 'cache.codec.compression is zstd, and this version of Node has none.',
})
export class NoZstdError extends InfraError {
  constructor() {
    super(
      `cache.codec.compression is "zstd", and Node ${process.versions.node} has no zstd.`,
      'Run Node 22.15 or newer, or set CACHE_CODEC_COMPRESSION=brotli.',
    );
  }
}
