import { Nested } from '@core-infra/kernel';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { EncryptionConfig } from './encryption.config.js';

/** How values are written to a shared store. Values that were written with other settings stay readable. */
export class CodecConfig {
  /**
   * `json` carries what JSON does (a Date comes back as text), `superjson` also Date, BigInt, Map, Set, RegExp, URL and cycles, `msgpack` also Date,
   * BigInt and bytes, in less space. @default 'json'
   */
  @IsIn(['json', 'superjson', 'msgpack'])
  serialiser: 'json' | 'superjson' | 'msgpack' = 'json';

  /** Values of more than so many bytes are compressed; 0 for none. @default 0 */
  @IsInt()
  @Min(0)
  compressAboveBytes: number = 0;

  /** `brotli` packs tighter, `zstd` is written faster and needs Node 22.15 or newer. @default 'brotli' */
  @IsIn(['brotli', 'zstd'])
  compression: 'brotli' | 'zstd' = 'brotli';

  /** The largest value that is written, and that a compressed one may grow to when it is read, in bytes. @default 33_554_432 */
  @IsInt()
  @Min(1_024)
  @Max(1_073_741_824)
  maxValueBytes: number = 33_554_432;

  @Nested(() => EncryptionConfig)
  encryption: EncryptionConfig = new EncryptionConfig();
}
