import { ConfigError, resolveConfig } from '@core-infra/kernel';
import { eventually } from '@core-infra/testing';
import { randomBytes } from 'node:crypto';
import { brotliCompressSync, zstdCompressSync } from 'node:zlib';
import { CodecConfig } from '../../src/codec/codec.config.js';
import { headerBytes } from '../../src/codec/header.js';
import { catching, codec, combinations, type Line, newKey, serialisers } from '../support/codec.js';

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
