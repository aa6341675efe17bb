import { execFileSync } from 'node:child_process';
import { chmodSync, symlinkSync } from 'node:fs';
import { ConfigModule } from '@core-infra/config';
import { StoreConfig } from './helpers/sections.js';
import { Workspace } from './helpers/workspace.js';
import { loadSources } from '../src/sources/load-sources.js';
import { diskAccess, readTextFile } from '../src/sources/text-file.js';

const feature = ConfigModule.forFeature(StoreConfig);
const expand = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const bomb = expand.map(
  (key, index) =>
    `${key}: &${key} [${
      index === 0
        ? '1,1'
        : Array(9)
            .fill(`*${expand[index - 1]}`)
            .join()
    }]`,
);

describe('a file that is', () => {
  it.each<[string, string, string | Buffer, { source: string; expected: string; got?: unknown }]>([
    [
      'broken YAML',
      'default.yaml',
      'store:\n  port: 1\n bad: [',
      { source: 'config/default.yaml:3', expected: 'valid YAML' },
    ],
    ['broken JSON', 'default.json', '{\n"store": {},\n}', { source: 'config/default.json:3', expected: 'valid JSON' }],
    ['JSON with comments', 'default.json', '{\n// no\n}', { source: 'config/default.json:2', expected: 'valid JSON' }],
    [
      'a list',
      'default.yaml',
      '- 1',
      { source: 'config/default.yaml:1', expected: 'a map of sections', got: 'a list' },
    ],
    ['a word', 'default.yaml', 'x', { source: 'config/default.yaml:1', expected: 'a map of sections', got: 'a value' }],
    ['two documents', 'default.yaml', 'a: 1\n---\nb: 1', { source: 'config/default.yaml:2', expected: 'valid YAML' }],
    [
      'a key twice',
      'default.yaml',
      'store:\n  port: 1\n  port: 2',
      { source: 'config/default.yaml:3', expected: 'each key once' },
    ],
    [
      'a JSON key twice',
      'default.json',
      '{"store": {\n"port": 1,\n"port": 2}}',
      { source: 'config/default.json:3', expected: 'each key once' },
    ],
    [
      'an alias bomb',
      'default.yaml',
      bomb.join('\n'),
      { source: expect.any(String) as string, expected: expect.stringContaining('at most 20000 values') as string },
    ],
    [
      'an alias of itself',
      'default.yaml',
      'store: &a\n  pool: *a',
      { source: 'config/default.yaml:2', expected: expect.stringContaining('32 deep') as string },
    ],
    [
      'nested too deep',
      'default.yaml',
      '['.repeat(100_000),
      { source: expect.any(String) as string, expected: expect.any(String) as string },
    ],
    [
      'of 10 MB',
      'default.yaml',
      'x'.repeat(10 * 1024 ** 2),
      { source: 'config/default.yaml', expected: 'a file of at most 1 MiB', got: '10.0 MiB' },
    ],
    [
      'with a NUL byte',
      'default.yaml',
      'store:\n  host: a\0b',
      { source: 'config/default.yaml:2', expected: 'text without a NUL byte' },
    ],
    [
      'not UTF-8',
      'default.yaml',
      Buffer.from([0x61, 0x3a, 0x0a, 0xff, 0xfe]),
      { source: 'config/default.yaml:2', expected: 'text in UTF-8' },
    ],
    ['tagged', 'default.yaml', 'store: !!js/function x', { source: 'config/default.yaml:1', expected: 'valid YAML' }],
    [
      'a prototype',
      'default.yaml',
      'store:\n  __proto__: { polluted: 1 }',
      { source: 'config/default.yaml:2', expected: 'a key that is not reserved by JavaScript', got: '__proto__' },
    ],
    [
      'a prototype in JSON',
      'default.json',
      '{"__proto__": {"polluted": 1}}',
      { source: 'config/default.json:1', expected: 'a key that is not reserved by JavaScript', got: '__proto__' },
    ],
    [
      'a constructor',
      'default.yaml',
      'store:\n  levels:\n    constructor: { prototype: 1 }',
      { source: 'config/default.yaml:3', expected: 'a key that is not reserved by JavaScript', got: 'constructor' },
    ],
  ])('%s is one clear error with its line', async (_, name, content, problem) => {
    using space = new Workspace({ [`config/${name}`]: content });
    expect(await space.problems({}, feature)).toMatchObject([problem]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('a folder is an error', async () => {
    using space = new Workspace({ 'config/default.yaml/x': '' });
    expect(await space.problems({}, feature)).toMatchObject([
      { source: 'config/default.yaml', expected: 'a regular file' },
    ]);
  });

  it('a named pipe is an error, and does not hang the boot', async () => {
    using space = new Workspace({ 'config/x': '' });
    execFileSync('mkfifo', [space.path('config/default.yaml')]);
    expect(await space.problems({}, feature)).toMatchObject([{ expected: 'a regular file' }]);
  });

  it('gone between listing and reading is an error', () => {
    const gone = Object.assign(new Error('gone'), { code: 'ENOENT' });
    const read = () =>
      readTextFile('/x', 'config/default.yaml', {
        stat: () => ({ isFile: () => true, size: 1 }),
        read: () => {
          throw gone;
        },
      });
    expect(read).toThrow(expect.objectContaining({ got: 'a file that vanished while it was read' }) as Error);
  });

  it('growing while it is read is still bounded', () => {
    const read = () =>
      readTextFile('/x', 'x', {
        stat: () => ({ isFile: () => true, size: 1 }),
        read: () => Buffer.alloc(2 * 1024 ** 2),
      });
    expect(read).toThrow(expect.objectContaining({ expected: 'a file of at most 1 MiB' }) as Error);
  });

  it('a link to nowhere is an error', async () => {
    using space = new Workspace({ 'config/x': '' });
    symlinkSync('nowhere', space.path('config/default.yaml'));
    expect(await space.problems({}, feature)).toMatchObject([{ source: 'config/default.yaml' }]);
  });
});

/** Root may read everything, so the process asks as nobody for a moment. */
function denied(space: Workspace): unknown[] {
  process.seteuid!(65_534);
  try {
    return loadSources({ root: space.root, env: {}, argv: [] }).problems as unknown[];
  } finally {
    process.seteuid!(0);
  }
}

describe('a folder that cannot be read', () => {
  it('is an error when it is a file', async () => {
    using space = new Workspace({ config: 'x' });
    expect(await space.problems({}, feature)).toMatchObject([
      { key: 'config', expected: 'a folder that can be read', got: 'ENOTDIR' },
    ]);
  });

  it('is an error when it links to itself', async () => {
    using space = new Workspace();
    symlinkSync('config', space.path('config'));
    expect(await space.problems({}, feature)).toMatchObject([{ key: 'config', got: 'ELOOP' }]);
  });

  it('is an error when permission is missing', async () => {
    using space = new Workspace({ 'config/default.yaml': '' });
    chmodSync(space.path('config'), 0o000);
    const [problem] = process.getuid?.() === 0 ? denied(space) : await space.problems({}, feature);
    chmodSync(space.path('config'), 0o700);
    expect(problem).toMatchObject({ key: 'config', got: 'no permission to read it (EACCES)' });
  });
});

describe('a value that is', () => {
  it.each<[string, NodeJS.ProcessEnv | string, object]>([
    ['NaN in YAML', 'store:\n  port: .nan', { key: 'store.port', expected: 'an integer', got: 'NaN' }],
    ['NaN of a duration', 'store:\n  timeoutMs: .nan', { key: 'store.timeoutMs', got: 'NaN' }],
    ['infinite', 'store:\n  port: .inf', { key: 'store.port', expected: 'an integer', got: 'Infinity' }],
    ['NaN in the environment', { STORE_PORT: 'NaN' }, { key: 'store.port', expected: 'an integer', got: '"NaN"' }],
    ['port 70000', { STORE_PORT: '70000' }, { key: 'store.port', expected: 'not greater than 65535', got: '70000' }],
    ['not whole', { STORE_PORT: '1.5' }, { key: 'store.port', expected: 'an integer' }],
    ['hexadecimal', { STORE_PORT: '0x10' }, { key: 'store.port', expected: 'an integer' }],
    ['a NUL byte', { STORE_HOST: 'a\0b' }, { key: 'store.host', expected: 'text without a NUL byte' }],
    [
      'a service link of Kubernetes',
      { STORE_PORT: 'tcp://10.0.0.1:6379' },
      { key: 'store.port', expected: expect.stringContaining('enableServiceLinks: false') },
    ],
    [
      'JSON with a prototype',
      { STORE_LEVELS: '{"__proto__": {"polluted": 1}}' },
      { key: 'store.levels', expected: 'JSON without the key "__proto__"' },
    ],
    ['a map where text is wanted', 'store:\n  host: { a: 1 }', { key: 'store.host', expected: 'text' }],
    [
      'text where a map is wanted',
      { STORE_LEVELS: 'debug' },
      { key: 'store.levels', expected: 'an object, in the environment as JSON' },
    ],
    [
      'a number in a list of text',
      'store:\n  tags: [1]',
      { key: 'store.tags', expected: expect.stringContaining('string') },
    ],
  ])('%s is one clear error', async (_, source, problem) => {
    using space = new Workspace(typeof source === 'string' ? { 'config/default.yaml': source } : {});
    const found = await space.problems({ env: typeof source === 'string' ? {} : source }, feature);
    expect(found).toMatchObject([problem]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each<[string, object, object]>([
    ['the environment', { env: JSON.parse('{"__proto__": "x"}') as NodeJS.ProcessEnv }, { key: '__proto__' }],
    ['a variable of a section', { env: { STORE____PROTO____POLLUTED: '1' } }, { key: 'STORE____PROTO____POLLUTED' }],
    ['a flag', { argv: ['--store.__proto__.polluted=1'] }, { source: 'flag --store.__proto__.polluted' }],
  ])('a reserved name in %s is an error', async (_, options, problem) => {
    using space = new Workspace();
    expect(await space.problems(options, feature)).toMatchObject([problem]);
  });

  it('a reserved name in .env is an error with its line', async () => {
    using space = new Workspace({ '.env': 'A=1\n__proto__=1' });
    expect(await space.problems({}, feature)).toMatchObject([{ source: '.env:2', got: '__proto__' }]);
  });

  it('many small files are read through the disk', () => {
    using space = new Workspace({ a: 'text' });
    expect(readTextFile(space.path('a'), 'a', diskAccess)).toBe('text');
  });
});
