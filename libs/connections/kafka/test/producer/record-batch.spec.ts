import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Partitioners } from 'kafkajs';
import { crc32c } from '../../src/producer/crc32c.js';
import { partitionOf } from '../../src/producer/murmur2.js';
import { ProducerNumbers } from '../../src/producer/producer-numbers.js';
import { encodeBatch } from '../../src/producer/record-batch.js';
import type { KafkaRecord } from '../../src/ports/producer.js';

interface Decoded {
  readonly records: readonly {
    readonly offset: string;
    readonly timestamp: string;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: Readonly<Record<string, Buffer | Buffer[]>>;
  }[];
  readonly lastOffsetDelta: number;
  readonly maxTimestamp: string;
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly firstSequence: number;
}

const kafkajs = createRequire(require.resolve('kafkajs'));
const Decoder = kafkajs('./src/protocol/decoder') as new (bytes: Buffer) => object;
const decodeBatch = kafkajs('./src/protocol/recordBatch/v0/decoder') as (decoder: object) => Promise<Decoded>;
const theirCrc = kafkajs('./src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number;

const now = 1_763_700_000_000;
const text = (data: Buffer | Buffer[] | null): unknown =>
  Array.isArray(data) ? data.map(each => String(each)) : data === null ? null : String(data);

/** As kafkajs reads it, once it is seen that the head tells the truth of what follows. */
async function decoded(batch: Buffer): Promise<Decoded> {
  expect(batch.readInt32BE(8)).toBe(batch.length - 12);
  expect(batch.readUInt32BE(17)).toBe(theirCrc(batch.subarray(21)));
  return decodeBatch(new Decoder(batch));
}

describe('a batch of records', () => {
  const record = (given: Partial<KafkaRecord>): KafkaRecord => ({ topic: 'orders', value: null, ...given });

  it.each([64, 100_000])('is read as it was given, where %i bytes were expected', async bytes => {
    const given = [
      record({ key: 'a', value: 'short' }),
      record({ key: Buffer.from([0, 255]), value: Buffer.alloc(70_000, 'x') }),
      record({
        key: 'Schlüssel 🔑',
        value: '',
        headers: { ce_id: '1', größe: 'süß', many: ['one', Buffer.from('two')] },
      }),
      record({ key: null, value: null, headers: { long: 'y'.repeat(9_000), [`n${'m'.repeat(80)}`]: 'z'.repeat(64) } }),
      record({ value: 'z'.repeat(63), headers: { empty: '', none: [] } }),
      record({ value: '\ud800' }),
    ];
    const batch = await decoded(await encodeBatch(given, { now, bytes }));
    expect(batch.records.map(({ offset }) => Number(offset))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(batch.records.map(({ key }) => text(key))).toEqual(['a', '\0\ufffd', 'Schlüssel 🔑', null, null, null]);
    expect(batch.records[1]!.key).toEqual(Buffer.from([0, 255]));
    expect(batch.records.map(({ value }) => text(value))).toEqual([
      'short',
      'x'.repeat(70_000),
      '',
      null,
      'z'.repeat(63),
      '\ufffd',
    ]);
    const headers = batch.records.map(each =>
      Object.fromEntries(Object.entries(each.headers).map(([name, value]) => [name, text(value)])),
    );
    expect(headers).toEqual([
      {},
      {},
      { ce_id: '1', größe: 'süß', many: ['one', 'two'] },
      { long: 'y'.repeat(9_000), [`n${'m'.repeat(80)}`]: 'z'.repeat(64) },
      { empty: '' },
      {},
    ]);
    expect(batch).toMatchObject({ lastOffsetDelta: 5, producerId: '-1', producerEpoch: -1, firstSequence: -1 });
    expect(batch.records.map(({ timestamp }) => Number(timestamp))).toEqual(given.map(() => now));
  });

  it('has the times that were given, in any order and however far apart', async () => {
    const times = [now + 5, 1_000, undefined, now - 5_000_000];
    const batch = await encodeBatch(
      times.map(timestamp => record({ value: 'x', ...(timestamp !== undefined && { timestamp }) })),
      { now, bytes: 100 },
    );
    const { records, maxTimestamp } = await decoded(batch);
    expect(records.map(({ timestamp }) => Number(timestamp))).toEqual([now + 5, 1_000, now, now - 5_000_000]);
    expect(Number(maxTimestamp)).toBe(now + 5);
  });

  it('has its numbers, and may be compressed', async () => {
    const numbers = { producerId: 2n ** 40n + 1n, producerEpoch: 7, sequence: 123_456 };
    const compression = { type: 1, compress: promisify(gzip) as (bytes: Buffer) => Promise<Buffer> };
    const given = Array.from({ length: 500 }, (_, at) => record({ key: `key-${at}`, value: 'same '.repeat(20) }));
    const batch = await encodeBatch(given, { now, bytes: 60_000, numbers, compression });
    expect(batch.length).toBeLessThan(10_000);
    const read = await decoded(batch);
    expect(read).toMatchObject({ producerId: String(2n ** 40n + 1n), producerEpoch: 7, firstSequence: 123_456 });
    expect(read.records.map(({ key }) => text(key))).toEqual(given.map(({ key }) => key));
  });
});

describe('the sums of a batch', () => {
  it('are those of Castagnoli, whatever the length', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    const bytes = Buffer.from(Array.from({ length: 300 }, (_, at) => (at * 89) % 256));
    for (let from = 0; from < 20; from += 1)
      for (const to of [from, from + 1, from + 7, from + 8, from + 9, 299, 300])
        expect(crc32c(bytes, from, to)).toBe(theirCrc(bytes.subarray(from, to)));
  });
});

describe('the partition of a key', () => {
  it('is the one that Java’s clients choose', () => {
    const choose = Partitioners.DefaultPartitioner();
    const partitionMetadata = Array.from({ length: 1_000 }, (_, partitionId) => ({ partitionId, leader: 0 })) as never;
    const keys = Array.from({ length: 500 }, (_, at) => `${'key ü '.repeat(at % 5)}${at ** 3}`);
    for (const key of [...keys, ...keys.map(each => Buffer.from(each)), '', 'a', Buffer.from([255, 128, 254])])
      expect(partitionOf(key, 1_000)).toBe(choose({ topic: 't', partitionMetadata, message: { key, value: '' } }));
  });
});

describe('the numbers of a producer', () => {
  it('count on for each partition by itself, and begin anew where they end', () => {
    const numbers = new ProducerNumbers(7n, 1);
    expect(numbers.of('orders', 0)).toEqual({ producerId: 7n, producerEpoch: 1, sequence: 0 });
    numbers.count('orders', 0, 10);
    numbers.count('orders', 1, 3);
    expect([numbers.of('orders', 0).sequence, numbers.of('orders', 1).sequence]).toEqual([10, 3]);
    numbers.count('orders', 1, 2_147_483_647 - 3);
    expect(numbers.of('orders', 1).sequence).toBe(2_147_483_647);
    numbers.count('orders', 1, 5);
    expect(numbers.of('orders', 1).sequence).toBe(4);
  });
});
