import { promisify } from 'node:util';
import { gzip, gunzip } from 'node:zlib';
import { decodeBatches } from '../../src/consumer/record-batches.js';
import type { KafkaRecord } from '../../src/ports/producer.js';
import { encodeBatch } from '../../src/producer/record-batch.js';

const now = 1_763_700_000_000;
const compression = { type: 1, compress: promisify(gzip) as (bytes: Buffer) => Promise<Buffer> };
const decompress = (type: number, bytes: Buffer): Promise<Buffer> => {
  expect(type).toBe(1);
  return promisify(gunzip)(bytes);
};

/** As a broker keeps it, which gives the offsets. */
async function kept(
  records: readonly Partial<KafkaRecord>[],
  firstOffset: bigint,
  options: { compressed?: boolean; attributes?: number; magic?: number } = {},
): Promise<Buffer> {
  const given = records.map(record => ({ topic: 'orders', value: null, ...record }));
  const batch = await encodeBatch(given, {
    now,
    bytes: 100,
    compression: options.compressed ? compression : undefined,
  });
  batch.writeBigInt64BE(firstOffset, 0);
  batch.writeInt16BE(batch.readInt16BE(21) | (options.attributes ?? 0), 21);
  batch.writeInt8(options.magic ?? 2, 16);
  return batch;
}

describe('batches as they are fetched', () => {
  it('have their records read, compressed or not, from the offset that was asked for', async () => {
    const headers = {
      ce_id: '1',
      größe: 'süß',
      many: ['one', Buffer.from([2, 255])],
      ['n'.repeat(100)]: 'y'.repeat(300),
    };
    const bytes = Buffer.concat([
      await kept([{ value: 'before' }, { key: 'k', value: 'a', headers, timestamp: now - 5 }], 2n ** 40n - 1n),
      await kept(
        [
          { key: Buffer.from([0, 255]), value: null, headers: { ce_id: '22' } },
          { value: '', headers: {} },
        ],
        2n ** 40n + 7n,
        {
          compressed: true,
        },
      ),
    ]);
    const read = await decodeBatches(bytes, 2n ** 40n, decompress);
    expect(read?.lastOffset).toBe(2n ** 40n + 8n);
    expect(read?.messages).toEqual([
      {
        offset: 2n ** 40n,
        key: Buffer.from('k'),
        value: Buffer.from('a'),
        timestamp: now - 5,
        headers: {
          ce_id: Buffer.from('1'),
          größe: Buffer.from('süß'),
          many: [Buffer.from('one'), Buffer.from([2, 255])],
          ['n'.repeat(100)]: Buffer.from('y'.repeat(300)),
        },
      },
      {
        offset: 2n ** 40n + 7n,
        key: Buffer.from([0, 255]),
        value: null,
        timestamp: now,
        headers: { ce_id: Buffer.from('22') },
      },
      { offset: 2n ** 40n + 8n, key: null, value: Buffer.alloc(0), timestamp: now, headers: {} },
    ]);
  });

  it('may have headers of any name, which differ from record to record', async () => {
    const hostile = JSON.parse('{ "__proto__": "x", "constructor": "y" }') as Record<string, string>;
    const bytes = await kept(
      [{ headers: { aa: '1', b: '2' } }, { headers: { ab: '3', b: '4' } }, { headers: hostile }],
      0n,
    );
    const { messages } = (await decodeBatches(bytes, 0n, decompress))!;
    const entries = messages.map(({ headers }) =>
      Object.entries(headers).map(([name, value]) => [name, String(value)]),
    );
    expect(entries).toEqual([
      [
        ['aa', '1'],
        ['b', '2'],
      ],
      [
        ['ab', '3'],
        ['b', '4'],
      ],
      [
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ],
    ]);
    expect(Object.getPrototypeOf(messages[2]!.headers)).toBe(Object.prototype);
  });

  it('have the broker’s time, where the topic says so', async () => {
    const bytes = await kept([{ timestamp: 1_000 }, { timestamp: 2_000 }], 0n, { attributes: 0x08 });
    const { messages } = (await decodeBatches(bytes, 0n, decompress))!;
    expect(messages.map(({ timestamp }) => timestamp)).toEqual([2_000, 2_000]);
  });

  it('are left out when they are cut off, and known by their end when nothing is left in them', async () => {
    const whole = await kept([{ value: 'a' }], 5n);
    const next = await kept([{ value: 'b' }], 6n);
    for (const length of [1, 60, next.length - 1])
      expect(await decodeBatches(Buffer.concat([whole, next.subarray(0, length)]), 0n, decompress)).toMatchObject({
        lastOffset: 5n,
        messages: [{ offset: 5n }],
      });
    const bare = Buffer.from(whole.subarray(0, 61));
    bare.writeInt32BE(61 - 12, 8);
    bare.writeInt32BE(4, 23);
    bare.writeInt32BE(0, 57);
    expect(await decodeBatches(bare, 0n, decompress)).toEqual({ messages: [], lastOffset: 9n });
    expect(await decodeBatches(Buffer.alloc(0), 0n, decompress)).toEqual({ messages: [], lastOffset: undefined });
  });

  it('are not read when they are of a transaction, the mark of its end, or of an older format', async () => {
    const plain = await kept([{ value: 'a' }], 0n);
    for (const options of [{ attributes: 0x10 }, { attributes: 0x20 }, { magic: 1 }]) {
      const other = await kept([{ value: 'a' }], 1n, options);
      expect(await decodeBatches(Buffer.concat([plain, other]), 0n, decompress)).toBeUndefined();
    }
  });

  it('are told to be broken, rather than read beyond their end', async () => {
    const bytes = await kept([{ value: 'a' }], 0n);
    bytes.writeInt32BE(2, 57);
    await expect(decodeBatches(bytes, 0n, decompress)).rejects.toThrow(RangeError);
  });
});
