import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { bootInfra, eventually } from '@core-infra/testing';
import { FeatureFlags, FeatureFlagsModule, InvalidFlagsError, storeOf } from '../../../src/index.js';
import { parseFlagDocument } from '../../../src/evaluation/validate.js';
import { yaml } from '../../../src/formats/yaml.format.js';
import { off } from '../../support/store.contract.js';
import { useFolder } from '../../support/use-folder.js';
import { untyped } from '../../support/untyped.js';

const folder = useFolder();
let count = 0;

async function place(text: string): Promise<string> {
  const own = join(folder.path, `place-${(count += 1)}`);
  await mkdir(own);
  await writeFile(join(own, 'flags.yaml'), text);
  return join(own, 'flags.yaml');
}

const flag = (name: string, variant: 'on' | 'off') =>
  `  ${name}: # of the shop\n    state: ENABLED\n    variants: { on: true, off: false }\n    defaultVariant: ${variant}\n`;

const boot = (path: string, settleMs: number) =>
  bootInfra(FeatureFlagsModule.forRoot({ driver: 'file', path, file: { pollMs: 60_000, settleMs } }));

describe('flags in a file of YAML', () => {
  afterEach(() => jest.restoreAllMocks());

  it('are read, followed and changed, and keep what is written about others', async () => {
    const path = await place(`# all flags\nflags:\n${flag('a', 'on')}${flag('b', 'off')}`);
    await using app = await boot(path, 20);
    const flags = untyped(app.get(FeatureFlags));
    expect([flags.isEnabled('a'), flags.isEnabled('b')]).toEqual([true, false]);
    await writeFile(path, `# all flags\nflags:\n${flag('a', 'on')}${flag('b', 'on')}`);
    await eventually(() => expect(flags.isEnabled('b')).toBe(true));
    await storeOf(app.get(FeatureFlags)).changeAll({ flags: { a: off, c: off }, by: 'ann' });
    await eventually(() => expect(flags.isEnabled('a', {}, true)).toBe(false));
    const text = await readFile(path, 'utf8');
    expect(text).toContain(`# all flags\nflags:\n`);
    expect(text).toMatch(/b:\s+# of the shop\n/);
    // Tools that read YAML 1.1 would take a bare `off` for false.
    expect(text).toMatch(
      /c:\n {4}state: ENABLED\n {4}variants:\n {6}"on": true\n {6}"off": false\n {4}defaultVariant: "off"/,
    );
    await storeOf(app.get(FeatureFlags)).change({ flag: 'c', to: null, by: 'ann' });
    expect(Object.keys((await storeOf(app.get(FeatureFlags)).read()).document.flags)).toEqual(['a', 'b']);
  });

  it('are not taken while they are being written, though half of them would be valid', async () => {
    const path = await place(`flags:\n${flag('a', 'on')}${flag('b', 'on')}`);
    await using app = await boot(path, 400);
    const flags = untyped(app.get(FeatureFlags));
    const seen: boolean[] = [];
    flags.onChange(() => void seen.push(flags.definitions().flags['b'] !== undefined));
    await writeFile(path, `flags:\n${flag('a', 'off')}`);
    await appendFile(path, flag('b', 'on'));
    await eventually(() => expect(flags.isEnabled('a', {}, true)).toBe(false));
    expect(seen).toEqual([true]);
  });

  const refused = (text: string) => {
    try {
      parseFlagDocument(text, { source: 'the file flags.yaml' }, yaml.open);
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidFlagsError);
      return (error as InvalidFlagsError).problems;
    }
    throw new Error('it was taken');
  };

  it.each<[string, string, object]>([
    ['nothing', '', { message: expect.stringContaining('"flags"') }],
    ['half of one', 'flags:\n  a: [', { line: 2, message: expect.stringContaining('not YAML') }],
    ['of a state that is none', `flags:\n${flag('a', 'on').replace('ENABLED', 'MAYBE')}`, { line: 3, column: 12 }],
    [
      'with a key twice',
      `flags:\n${flag('a', 'on')}${flag('a', 'on')}`,
      { line: 6, message: expect.stringContaining('unique') },
    ],
    ['with a prototype', 'flags:\n  __proto__: { state: ENABLED }', { pointer: '/flags/__proto__' }],
    ['with a tag that is not known', 'flags: !mine {}', { message: expect.stringContaining('tag') }],
    [
      'that says far more than is written',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh'].map((name, at) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[at]}`).join(',')}]\n`).join('')}flags: {}`,
      { message: expect.stringContaining('aliases') },
    ],
    ['without end', '['.repeat(100_000), { message: expect.stringMatching(/too deep|not YAML/) }],
  ])('are refused whole: %s', (_, text, problem) => {
    expect(refused(text)).toContainEqual(expect.objectContaining(problem));
  });

  it('are written anew as a whole where they are merged in from elsewhere', () => {
    const text = `shared: &shared\n${flag('a', 'on').replaceAll(/ # .*/g, '')}flags:\n  <<: *shared\n`;
    const document = parseFlagDocument(text, { source: 'it' }, yaml.open);
    expect(Object.keys(document.flags)).toEqual(['a']);
    const rewritten = yaml.rewrite(text, { ...document, flags: {} }, { a: null });
    expect(parseFlagDocument(rewritten, { source: 'it' }, yaml.open).flags).toEqual({});
  });

  it('say which package is missing', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    jest.doMock('yaml', () => {
      throw Object.assign(new Error("Cannot find module 'yaml'"), { code: 'MODULE_NOT_FOUND' });
    });
    jest.resetModules();
    const { formatOf } = await import('../../../src/formats/flag-format.js');
    await expect(formatOf('flags.yml', 'feature-flags')).rejects.toMatchObject({
      code: 'INFRA_MISSING_PACKAGE',
      message: expect.stringMatching(/feature-flags.*yaml/),
    });
    expect((await formatOf('flags.json', 'feature-flags')).tellsItsEnd).toBe(true);
  });
});
