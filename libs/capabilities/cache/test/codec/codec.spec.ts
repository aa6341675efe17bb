import * as fc from 'fast-check';
import { UnserialisableValueError, ValueTooLargeError } from '../../src/codec/errors.js';
import { catching, codec, combinations, keys, type Line } from '../support/codec.js';

/** JSON, without what is the same value to `===` and another one to Jest. */
const jsonValue = () =>
  fc
    .jsonValue({ noUnicodeString: false } as never)
    .map(value => JSON.parse(JSON.stringify(value)) as unknown)
    .filter(value => !JSON.stringify(value).includes('__proto__'));

const rich = (bytes: boolean) => {
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double({ noDefaultInfinity: false }).map(number => number + 0),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt(),
    fc.date({ noInvalidDate: true }),
    ...(bytes ? [fc.uint8Array().map(array => new Uint8Array(array))] : []),
  );
  const key = fc.string().filter(name => !['__proto__', 'constructor', 'prototype'].includes(name));
  return fc.letrec<{ value: unknown }>(tie => ({
    value: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 3 }).map(entries => new Map(entries)),
      fc.array(fc.integer(), { maxLength: 3 }).map(items => new Set(items)),
    ),
  })).value;
};

describe('what every combination of settings carries', () => {
  it.each(combinations)(
    '$serialiser, $compression, encrypted $encrypted',
    async ({ serialiser, compression, encrypted }) => {
      const tested = await codec({
        serialiser,
        ...(compression !== 'none' && { compression, compressAboveBytes: 1 }),
        ...(encrypted && { encryption: { keys } }),
      });
      const values = serialiser === 'json' ? jsonValue() : rich(serialiser === 'msgpack');
      fc.assert(
        fc.property(values, fc.string(), (value, key) => {
          expect(tested.decode(tested.encode(value, key), key)).toEqual(value);
        }),
        { numRuns: 150 },
      );
    },
  );

  it.each(combinations.filter(({ encrypted }) => encrypted))(
    'never throws and never decodes a flipped byte: $serialiser, $compression',
    async ({ serialiser, compression }) => {
      const lines: Line[] = [];
      const settings = {
        serialiser,
        encryption: { keys },
        ...(compression !== 'none' && { compression, compressAboveBytes: 1 }),
      } as const;
      const tested = await codec(settings, lines);
      const bytes = tested.encode({ order: 42, lines: ['a', 'b'.repeat(40)] }, 'orders:42');
      for (let index = 0; index < bytes.length; index += 1) {
        for (const mask of [0x01, 0x80, 0xff]) {
          const flipped = Buffer.from(bytes);
          flipped[index]! ^= mask;
          expect(tested.decode(flipped, 'orders:42')).toBeUndefined();
        }
        expect(tested.decode(bytes.subarray(0, index), 'orders:42')).toBeUndefined();
      }
      expect(tested.decode(bytes, 'orders:42')).toEqual({ order: 42, lines: ['a', 'b'.repeat(40)] });
      expect(lines.filter(({ fields }) => fields.security && fields.reason === 'tampered')).toHaveLength(1);
    },
  );

  it.each(combinations.filter(({ encrypted }) => !encrypted))(
    'never throws on damaged bytes: $serialiser, $compression',
    async ({ serialiser, compression }) => {
      const tested = await codec({
        serialiser,
        ...(compression !== 'none' && { compression, compressAboveBytes: 1 }),
      });
      const bytes = tested.encode({ order: 42, lines: ['a', 'b'.repeat(40)], at: 'x' });
      for (let index = 0; index < bytes.length; index += 1) {
        const flipped = Buffer.from(bytes);
        flipped[index]! ^= 0xff;
        expect(() => tested.decode(flipped)).not.toThrow();
      }
      fc.assert(
        fc.property(fc.uint8Array(), array => void tested.decode(Buffer.from(array))),
        { numRuns: 300 },
      );
    },
  );
});

describe('values that a serialiser cannot carry', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  class Order {
    readonly at = new Date(0);
    constructor(readonly id: string) {}
  }

  it.each<[string, unknown, string]>([
    ['a cycle', cycle, 'has a cycle'],
    ['a BigInt', { total: { cents: 5n } }, '$.total.cents is a BigInt'],
    ['undefined itself', undefined, '$ is undefined'],
    ['undefined in a list', { list: [1, undefined] }, '$.list[1] is undefined'],
    ['a Map', { map: new Map() }, '$.map is a Map'],
    ['a Set', new Set(), '$ is a Set'],
    ['bytes', Buffer.from('x'), '$ is bytes'],
    ['NaN', [Number.NaN], '$[0] is NaN'],
    ['a function', { load: () => 1 }, '$.load is a function'],
    ['a promise', Promise.resolve(1), '$ is a Promise'],
    ['an invalid Date', new Date(Number.NaN), 'a Date that is invalid'],
    ['__proto__', JSON.parse('{"a":{"__proto__":{"admin":true}}}'), '$.a has a property "__proto__"'],
    ['constructor.prototype', JSON.parse('{"constructor":{"prototype":{}}}'), 'has a property "constructor"'],
    ['a value that is nested too deeply', deep(100_000), 'nested too deeply'],
  ])('json refuses %s and names the option', async (_, value, problem) => {
    const tested = await codec();
    const refused = catching(() => tested.encode(value));
    expect(refused).toBeInstanceOf(UnserialisableValueError);
    expect((refused as Error).message).toContain(problem);
    expect((refused as Error).message).toContain('CACHE_CODEC_SERIALISER');
  });

  it('leaves out a property that is undefined, as JSON does', async () => {
    for (const serialiser of ['json', 'msgpack'] as const) {
      const tested = await codec({ serialiser });
      const decoded = tested.decode(tested.encode({ a: 1, b: undefined })) as object;
      expect(Object.keys(decoded)).toEqual(['a']);
    }
  });

  it('carries a cycle, and a shared object once, with superjson', async () => {
    const tested = await codec({ serialiser: 'superjson' });
    const decoded = tested.decode(tested.encode(cycle)) as typeof cycle;
    expect(decoded.self).toBe(decoded);
  });

  it('caches an instance of a class as a plain object, with the Dates inside of it', async () => {
    for (const serialiser of ['superjson', 'msgpack'] as const) {
      const tested = await codec({ serialiser });
      expect(tested.decode(tested.encode({ order: new Order('7') }))).toEqual({ order: { id: '7', at: new Date(0) } });
    }
  });

  it('refuses what msgpack and superjson cannot carry', async () => {
    const msgpack = await codec({ serialiser: 'msgpack' });
    const superjson = await codec({ serialiser: 'superjson' });
    for (const value of [cycle, [undefined], /x/, new Error('x'), Symbol('x')])
      expect(() => msgpack.encode(value)).toThrow(UnserialisableValueError);
    for (const value of [Buffer.from('x'), () => 1, { constructor: 1 }])
      expect(() => superjson.encode(value)).toThrow(UnserialisableValueError);
  });

  it('refuses a value that is too large, before it is written', async () => {
    const tested = await codec({ maxValueBytes: 1_024, compressAboveBytes: 10 });
    expect(() => tested.encode('x'.repeat(2_000))).toThrow(ValueTooLargeError);
  });
});

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}
