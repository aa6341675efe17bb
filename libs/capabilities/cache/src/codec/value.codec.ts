import type { DriverSite } from '@core-infra/kernel';

/** How values are written as text: there is one where they are JSON, neither packed nor encrypted. It takes less time and memory than bytes. */
export interface TextForm {
  /** @throws UnserialisableValueError, ValueTooLargeError */
  write(value: unknown): string;
  /** @param text what `write` made, or what `fromBytes` let through */
  read(text: string): unknown;
  /** The bytes that `encode` makes of the same value. */
  toBytes(text: string): Buffer;
  /** @returns nothing where it takes `decode` to read what begins at `at` */
  fromBytes(bytes: Buffer, at: number): { readonly text: string; readonly value: unknown } | undefined;
}

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
  readonly text?: TextForm | undefined;
}

/** What a codec is told besides its configuration; a driver's site is one. */
export type CodecSite = Pick<DriverSite, 'id' | 'logger' | 'clock'>;
