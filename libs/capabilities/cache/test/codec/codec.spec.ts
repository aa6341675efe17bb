import { Clock, ConfigError, resolveConfig } from '@core-infra/kernel';
import * as fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { brotliCompressSync, zstdCompressSync } from 'node:zlib';
import { CodecConfig } from '../../src/codec/codec.config.js';
import { createCodec } from '../../src/codec/create-codec.js';
import { headerBytes } from '../../src/codec/header.js';
import { UnserialisableValueError, ValueTooLargeError } from '../../src/codec/errors.js';
import type { CodecSite, ValueCodec } from '../../src/codec/value.codec.js';
import { eventually } from '@core-infra/testing';

const newKey = (id: string) => ({ id, key: randomBytes(32).toString('base64') });

interface Line {
  message: string;
  fields: Record<string, unknown>;
}

function site(lines: Line[] = []): CodecSite {
  const write = (message: string, fields: Record<string, unknown>) => void lines.push({ message, fields });
  return { id: 'cache', clock: Clock.system, logger: { warn: write, debug: write } as unknown as CodecSite['logger'] };
}

type Given = Partial<Omit<CodecConfig, 'encryption'>> & { encryption?: Partial<CodecConfig['encryption']> };

function codec(given: Given = {}, lines?: Line[]): Promise<ValueCodec> {
  return createCodec(resolveConfig({ section: 'codec', Config: CodecConfig, given: given as never }), site(lines));
}

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

const serialisers = ['json', 'superjson', 'msgpack'] as const;
const keys = [newKey('k1')];
const combinations = serialisers.flatMap(serialiser =>
  (['none', 'brotli', 'zstd'] as const).flatMap(compression =>
    [false, true].map(encrypted => ({ serialiser, compression, encrypted })),
  ),
);

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

describe('bytes that somebody else wrote', () => {
  it('reads values of other settings, from the second one on where a package had to be loaded', async () => {
    const reader = await codec();
    for (const { serialiser, compression } of combinations.filter(({ encrypted }) => !encrypted)) {
      const writer = await codec({ serialiser, ...(compression !== 'none' && { compression, compressAboveBytes: 1 }) });
      const bytes = writer.encode({ id: 'ord_1', n: 3 });
      await eventually(() => expect(reader.decode(bytes)).toEqual({ id: 'ord_1', n: 3 }));
    }
  });

  it('counts a version, a serialiser and a compression to come as missing', async () => {
    const tested = await codec();
    const bytes = tested.encode('x');
    for (const header of [
      [2, 0],
      [1, 5],
      [1, 0b01_1000],
      [1, 0b100_0000],
      [0, 0],
    ])
      expect(tested.decode(Buffer.concat([Buffer.from(header), bytes.subarray(2)]))).toBeUndefined();
    expect(tested.decode(Buffer.alloc(0))).toBeUndefined();
  });

  it.each<[string, number, (bytes: Buffer) => Buffer]>([
    ['brotli', 1, brotliCompressSync],
    ['zstd', 2, zstdCompressSync],
  ])('does not unpack a bomb of %s', async (_, compression, pack) => {
    const bomb = pack(Buffer.from(JSON.stringify('0'.repeat(10_000_000))));
    expect(bomb.length).toBeLessThan(2_000);
    const lines: Line[] = [];
    const bombed = await codec({ maxValueBytes: 1_024 }, lines);
    expect(bombed.decode(Buffer.concat([headerBytes({ serialiser: 0, compression }), bomb]))).toBeUndefined();
    expect(lines[0]?.fields).toMatchObject({ reason: 'damaged' });
    expect(bombed.decode(bombed.encode('fine'))).toBe('fine');
  });

  it('does not let a value reach into prototypes', async () => {
    for (const serialiser of ['json', 'superjson'] as const) {
      const tested = await codec({ serialiser });
      const header = headerBytes({ serialiser: serialisers.indexOf(serialiser), compression: 0 });
      for (const text of [
        '{"__proto__":{"polluted":true}}',
        '{"json":{"__proto__":{"polluted":true}}}',
        '{"json":{"\\u005f_proto__":{"polluted":true}}}',
        '{"constructor":{"prototype":{"polluted":true}}}',
        '{"json":{"a":1},"meta":{"values":{"__proto__.polluted":["Date"]},"v":1}}',
      ].slice(0, serialiser === 'json' ? 4 : 5))
        expect(tested.decode(Buffer.concat([header, Buffer.from(text)]))).toBeUndefined();
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    }
    const tested = await codec({ serialiser: 'msgpack' });
    const proto = Buffer.concat([
      headerBytes({ serialiser: 2, compression: 0 }),
      Buffer.from([0x81, 0xa9]),
      Buffer.from('__proto__'),
      Buffer.from([0x01]),
    ]);
    expect(tested.decode(proto)).toBeUndefined();
  });
});

describe('encryption', () => {
  const [old, next] = [newKey('2025'), newKey('2026')];

  it('reads with every key and writes with the first', async () => {
    const before = await codec({ encryption: { keys: [old] } });
    const during = await codec({ encryption: { keys: [next, old] } });
    const after = await codec({ encryption: { keys: [next] } });
    const written = before.encode({ id: 1 }, 'k');
    expect(during.decode(written, 'k')).toEqual({ id: 1 });
    expect(after.decode(written, 'k')).toBeUndefined();
    expect(after.decode(during.encode({ id: 2 }, 'k'), 'k')).toEqual({ id: 2 });
    expect(written.toString('latin1')).toContain('2025');
    expect(written.toString('latin1')).not.toContain('id":1');
  });

  it('does not decode a value that was moved to another key, and encrypts no two values alike', async () => {
    const tested = await codec({ encryption: { keys: [old] } });
    const bytes = tested.encode('admin', 'session:root');
    expect(tested.decode(bytes, 'session:guest')).toBeUndefined();
    expect(tested.decode(bytes, 'session:root')).toBe('admin');
    expect(tested.encode('admin', 'session:root').equals(bytes)).toBe(false);
  });

  it('refuses plain values where keys are set, unless they are accepted for a rollout', async () => {
    const lines: Line[] = [];
    const plain = (await codec()).encode('put in by somebody');
    expect((await codec({ encryption: { keys: [old] } }, lines)).decode(plain)).toBeUndefined();
    expect(lines).toEqual([
      {
        message: expect.stringContaining('not encrypted'),
        fields: { reason: 'not-encrypted', notReported: 0, security: true },
      },
    ]);
    expect((await codec({ encryption: { keys: [old], acceptPlain: true } })).decode(plain)).toBe('put in by somebody');
  });

  it('takes hex, base64url and id:key in a comma list', async () => {
    const hex = { id: 'hex', key: randomBytes(32).toString('hex') };
    const url = { id: 'url', key: randomBytes(32).toString('base64url') };
    for (const key of [hex, url]) {
      const written = (await codec({ encryption: { keys: [key] } })).encode(1);
      expect((await codec({ encryption: { keys: [`${key.id}:${key.key}`] } })).decode(written)).toBe(1);
    }
    const listed = resolveConfig({
      section: 'codec',
      Config: CodecConfig,
      given: { encryption: { keys: `${hex.id}:${hex.key}, ${url.id}:${url.key}` } } as never,
    });
    expect(listed.encryption.keys).toHaveLength(2);
  });

  it.each<[string, unknown, string]>([
    [
      'a short key',
      [{ id: 'k', key: randomBytes(16).toString('base64') }],
      'must be 32 bytes as base64 or hex, not 16: openssl rand -base64 32',
    ],
    ['a key that is no text', [{ id: 'k', key: 7 }], 'item 1 must be { id, key }'],
    ['a pass phrase', [{ id: 'k', key: 'correct horse battery staple' }], 'must be 32 bytes'],
    ['two keys of one id', [old, old], 'the id "2025" is there twice'],
    ['a bad id', [{ ...old, id: 'a b' }], 'has an id that is not'],
  ])('refuses %s, without printing it', (_, given, problem) => {
    const refused = catching(() =>
      resolveConfig({ section: 'codec', Config: CodecConfig, given: { encryption: { keys: given } } as never }),
    ) as ConfigError;
    expect(refused).toBeInstanceOf(ConfigError);
    expect(refused.message).toContain(problem);
    expect(refused.message).not.toContain('correct horse');
    expect(refused.message).not.toContain(old.key);
  });
});

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

function catching(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
