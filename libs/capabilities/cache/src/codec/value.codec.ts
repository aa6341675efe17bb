import type { DriverSite } from '@core-infra/kernel';

/** Turns values into bytes for a store that is shared with other processes, and back. */
export interface ValueCodec {
  /**
   * @param context what the value belongs to, its full key: an encrypted value that was moved to another key is not decoded there
   * @throws UnserialisableValueError when the serialiser cannot carry the value without a loss; ValueTooLargeError
   */
  encode(value: unknown, context?: string): Buffer;
  /**
   * @returns the value; `undefined`, which `encode` refuses, when the bytes cannot be read: written by a version to come, with a key that is
   * not known here, damaged or tampered with. It never throws.
   */
  decode(bytes: Buffer, context?: string): unknown;
}

/** What a codec is told besides its configuration; a driver's site is one. */
export type CodecSite = Pick<DriverSite, 'id' | 'logger' | 'clock'>;
