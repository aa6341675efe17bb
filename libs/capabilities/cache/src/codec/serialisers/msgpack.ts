import { plain, type Serialiser } from './serialiser.js';

/** Types of ours within MessagePack; Date is one of its own. */
const extensions = { bigint: 0, map: 1, set: 2 } as const;

/** An optional package: loaded when a value is to be written or read with it. */
export async function loadMsgpack(): Promise<Serialiser> {
  const { Decoder, Encoder, ExtensionCodec } = await import('@msgpack/msgpack');
  const extensionCodec = new ExtensionCodec();
  const encoder = new Encoder({ extensionCodec, ignoreUndefined: true, maxDepth: 512 });
  // No list can have more items than there are bytes: what claims to is not allocated.
  const read = (bytes: Uint8Array): unknown =>
    new Decoder({ extensionCodec, maxArrayLength: bytes.length, maxMapLength: bytes.length }).decode(bytes);
  extensionCodec.register({
    type: extensions.bigint,
    encode: value => (typeof value === 'bigint' ? Buffer.from(value.toString()) : null),
    decode: bytes => BigInt(Buffer.from(bytes).toString()),
  });
  extensionCodec.register({
    type: extensions.map,
    encode: value => (value instanceof Map ? encoder.encode([...(value as Map<unknown, unknown>)]) : null),
    decode: bytes => new Map(read(bytes) as [unknown, unknown][]),
  });
  extensionCodec.register({
    type: extensions.set,
    encode: value => (value instanceof Set ? encoder.encode([...(value as Set<unknown>)]) : null),
    decode: bytes => new Set(read(bytes) as unknown[]),
  });
  return {
    carries: { bigint: true, mapAndSet: true, bytes: true, nonFinite: true },
    write: value => Buffer.from(encoder.encode(plain(value))),
    read,
  };
}
