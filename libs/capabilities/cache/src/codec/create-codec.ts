import type { CodecConfig } from './codec.config.js';
import { decrypt, encrypt } from './cipher.js';
import { compressionNames, compressionOf, requireCompression } from './compression.js';
import { UnserialisableValueError, ValueTooLargeError } from './errors.js';
import { lossIn } from './faithful.js';
import { headerBytes, parseHeader } from './header.js';
import { keyRing } from './key-ring.js';
import { type Refusal, Refusals } from './refusals.js';
import { loadSerialiser, type SerialiserName, serialiserNames } from './serialisers/load.js';
import { json, stringify } from './serialisers/json.js';
import type { Serialiser } from './serialisers/serialiser.js';
import { jsonText } from './text-form.js';
import type { CodecSite, ValueCodec } from './value.codec.js';

/** Bytes that count as missing. */
class Refused extends Error {
  constructor(
    readonly refusal: Refusal,
    options?: ErrorOptions,
  ) {
    super(refusal, options);
  }
}

/**
 * The codec of a store. Of the packages only the one that writes is loaded; another one is when the first value of its own is met, which still
 * counts as missing.
 * @throws MissingPackageError, NoZstdError
 */
export async function createCodec(config: CodecConfig, site: CodecSite): Promise<ValueCodec> {
  const name = config.serialiser;
  const writer = await loadSerialiser(name, site.id);
  const loaded = new Map<SerialiserName, Serialiser | 'loading'>([
    ['json', json],
    [name, writer],
  ]);
  const packer = config.compressAboveBytes > 0 ? requireCompression(config.compression) : undefined;
  const keys = keyRing(config.encryption.keys);
  const [writing] = keys;
  const refusals = new Refusals(site);

  const refuseLoss = (value: unknown, seen?: Set<object>): void => {
    const loss = lossIn(value, writer.carries, seen);
    if (loss) throw new UnserialisableValueError(name, loss.path, loss.reason);
  };

  const write = <Written>(value: unknown, by: (value: unknown) => Written): Written => {
    try {
      if (value === undefined || writer !== json) refuseLoss(value, new Set());
      const written = by(value);
      // JSON has proved by now that there is no cycle, and that there is an end to it.
      if (writer === json) refuseLoss(value);
      return written;
    } catch (error) {
      if (error instanceof UnserialisableValueError) throw error;
      throw refusedBy(error as Error, value);
    }
  };

  /** A BigInt in JSON, with its place; a cycle where the serialiser has none, too deep a value, a toJSON that throws, a name that superjson refuses. */
  const refusedBy = (cause: Error, value: unknown): UnserialisableValueError => {
    if (/circular|too deep|call stack/i.test(cause.message))
      return new UnserialisableValueError(name, '$', 'has a cycle, or is nested too deeply', { cause });
    const loss = lossIn(value, writer.carries, new Set());
    return new UnserialisableValueError(name, loss?.path ?? '$', loss?.reason ?? 'is refused', { cause });
  };

  const readerOf = (index: number): Serialiser => {
    const wanted = serialiserNames[index];
    if (wanted === undefined) throw new Refused('unknown-format');
    const reader = loaded.get(wanted);
    if (reader !== undefined && reader !== 'loading') return reader;
    if (reader === undefined) {
      loaded.set(wanted, 'loading');
      loadSerialiser(wanted, site.id).then(
        found => loaded.set(wanted, found),
        (error: Error) => site.logger.warn(`Values that ${wanted} wrote count as missing: ${error.message}`),
      );
    }
    throw new Refused('not-loaded');
  };

  const opened = (bytes: Buffer, length: number, keyId: string | undefined, context: string): Buffer => {
    if (keyId === undefined) {
      if (writing && !config.encryption.acceptPlain) throw new Refused('not-encrypted');
      return bytes.subarray(length);
    }
    const key = keys.get(keyId);
    if (!key) throw new Refused('unknown-key');
    try {
      return decrypt(key, bytes.subarray(length), Buffer.concat([bytes.subarray(0, length), Buffer.from(context)]));
    } catch (error) {
      throw new Refused('tampered', { cause: error });
    }
  };

  const unpacked = (bytes: Buffer, index: number): Buffer => {
    const compression = compressionNames[index];
    if (compression === 'none') return bytes;
    const packing = compression && compressionOf(compression);
    if (!packing) throw new Refused('unknown-format');
    return packing.unpack(bytes, config.maxValueBytes);
  };

  const isText = writer === json && !packer && !writing;
  return {
    text: isText ? jsonText(value => write(value, stringify), config.maxValueBytes) : undefined,
    encode: (value, context = '') => {
      const written = write(value, writer.write);
      if (written.length > config.maxValueBytes) throw new ValueTooLargeError(written.length, config.maxValueBytes);
      const packs = packer !== undefined && written.length > config.compressAboveBytes;
      const body = packs ? packer.pack(written) : written;
      const header = headerBytes({
        serialiser: serialiserNames.indexOf(name),
        compression: packs ? compressionNames.indexOf(config.compression) : 0,
        keyId: writing?.[0],
      });
      if (!writing) return Buffer.concat([header, body]);
      return Buffer.concat([header, encrypt(writing[1], body, Buffer.concat([header, Buffer.from(context)]))]);
    },
    decode: (bytes, context = '') => {
      try {
        const parsed = parseHeader(bytes);
        if (!parsed) throw new Refused('unknown-format');
        const { header, length } = parsed;
        const body = opened(bytes, length, header.keyId, context);
        return readerOf(header.serialiser).read(unpacked(body, header.compression));
      } catch (error) {
        refusals.tell(error instanceof Refused ? error.refusal : 'damaged');
        return undefined;
      }
    },
  };
}
