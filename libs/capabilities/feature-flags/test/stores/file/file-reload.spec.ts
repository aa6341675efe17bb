import { appendFile, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { Connections } from '@core-infra/kernel';
import { bootInfra, eventually, type InfraApp } from '@core-infra/testing';
import { FeatureFlags, FeatureFlagsModule, type FeatureFlagsOptions, storeOf } from '../../../src/index.js';
import { useFolder } from '../../support/use-folder.js';
import { untyped } from '../../support/untyped.js';

const folder = useFolder();
let count = 0;

const flag = (isOn: boolean) => ({
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: isOn ? 'on' : 'off',
});
const text = (flags: Record<string, boolean>) =>
  JSON.stringify({ flags: Object.fromEntries(Object.entries(flags).map(([key, isOn]) => [key, flag(isOn)])) }, null, 2);

/** A file of flags in a folder of its own. */
async function place(content?: string): Promise<string> {
  const own = join(folder.path, `place-${(count += 1)}`);
  await mkdir(own);
  const path = join(own, 'flags.json');
  if (content !== undefined) await writeFile(path, content);
  return path;
}

async function boot(path: string, options: FeatureFlagsOptions = {}): Promise<InfraApp> {
  return bootInfra(
    FeatureFlagsModule.forRoot({ driver: 'file', path, file: { pollMs: 60_000, settleMs: 100 }, ...options }),
  );
}

async function health(app: InfraApp): Promise<unknown> {
  const [check] = app.get(Connections).checks();
  return check?.run();
}

describe('flags in a file', () => {
  let errors: jest.SpyInstance;

  beforeEach(() => {
    errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  });
  afterEach(() => jest.restoreAllMocks());

  it('is in force from the boot on, over the flags of the configuration', async () => {
    await using app = await boot(await place(text({ a: true })), { flags: { a: false, b: true } });
    const flags = untyped(app.get(FeatureFlags));
    expect(flags.isEnabled('a')).toBe(true);
    expect(flags.isEnabled('b')).toBe(true);
    expect(flags.version).toBeGreaterThan(1_700_000_000_000);
  });

  it.each([
    ['rewritten in place', (path: string, next: string) => writeFile(path, next)],
    [
      'replaced by another file',
      async (path: string, next: string) => {
        await writeFile(`${path}.new`, next);
        await rename(`${path}.new`, path);
      },
    ],
    [
      'deleted and made anew',
      async (path: string, next: string) => {
        await rm(path);
        await writeFile(path, next);
      },
    ],
  ])('is read again when it is %s', async (_, change) => {
    const path = await place(text({ a: false }));
    await using app = await boot(path);
    const flags = untyped(app.get(FeatureFlags));
    const before = flags.version;
    await change(path, text({ a: true }));
    await eventually(() => expect(flags.isEnabled('a')).toBe(true));
    expect(flags.version).toBeGreaterThanOrEqual(before);
  });

  it('is read again when a link on the way to it is replaced, as Kubernetes does with a ConfigMap', async () => {
    const own = join(folder.path, `map-${(count += 1)}`);
    for (const [version, isOn] of [
      ['v1', false],
      ['v2', true],
    ] as const) {
      await mkdir(join(own, version), { recursive: true });
      await writeFile(join(own, version, 'flags.json'), text({ a: isOn }));
    }
    await symlink('v1', join(own, '..data'));
    await symlink('..data/flags.json', join(own, 'flags.json'));
    await using app = await boot(join(own, 'flags.json'));
    const flags = untyped(app.get(FeatureFlags));
    expect(flags.isEnabled('a')).toBe(false);
    await symlink('v2', join(own, '..data_tmp'));
    await rename(join(own, '..data_tmp'), join(own, '..data'));
    await eventually(() => expect(flags.isEnabled('a')).toBe(true));
  });

  it('keeps the last good flags while it is half written, with one line that names the place, and recovers by itself', async () => {
    const path = await place(text({ a: true, b: true }));
    await using app = await boot(path);
    const flags = untyped(app.get(FeatureFlags));
    const next = text({ a: false, b: true, c: true });
    await writeFile(path, next.slice(0, next.length / 2));
    await eventually(() => expect(errors).toHaveBeenCalledTimes(1));
    expect(errors.mock.calls[0]?.[0]).toMatch(/last good flags stay in force.*flags\.json.*\d+:\d+: it is not JSON/s);
    expect([flags.isEnabled('a'), flags.isEnabled('b')]).toEqual([true, true]);
    expect(await health(app)).toMatchObject({ degraded: expect.stringContaining('it is not JSON') });
    await appendFile(path, next.slice(next.length / 2));
    await eventually(() => expect(flags.isEnabled('c')).toBe(true));
    expect(flags.isEnabled('a')).toBe(false);
    expect(errors).toHaveBeenCalledTimes(1);
    expect(await health(app)).not.toHaveProperty('degraded');
  });

  it('says nothing of a file that is being written slowly, piece by piece', async () => {
    const path = await place(text({ a: false }));
    await using app = await boot(path, { file: { pollMs: 60_000, settleMs: 2_000 } });
    const flags = untyped(app.get(FeatureFlags));
    const next = text({ a: true });
    await writeFile(path, '');
    for (const letter of next.match(/.{1,40}/gs) ?? []) await appendFile(path, letter);
    await eventually(() => expect(flags.isEnabled('a')).toBe(true));
    expect(errors).not.toHaveBeenCalled();
  });

  it('keeps the last good flags when it is gone, and when it says what cannot be', async () => {
    const path = await place(text({ a: true }));
    await using app = await boot(path);
    const flags = untyped(app.get(FeatureFlags));
    await rm(path);
    await eventually(() => expect(errors).toHaveBeenCalledTimes(1));
    expect(errors.mock.calls[0]?.[0]).toContain('ENOENT');
    expect(flags.isEnabled('a')).toBe(true);
    await writeFile(
      path,
      JSON.stringify({ flags: { a: flag(false), b: { ...flag(true), state: 'PERHAPS' } } }, null, 2),
    );
    await eventually(() => expect(errors).toHaveBeenCalledTimes(2));
    expect(errors.mock.calls[1]?.[0]).toMatch(/\d+:\d+ \/flags\/b\/state: must be ENABLED or DISABLED/);
    expect(flags.isEnabled('a')).toBe(true);
  });

  it('starts with the flags of the configuration when it is not there, and takes it once it is', async () => {
    const path = await place();
    await using app = await boot(path, { flags: { a: false }, file: { pollMs: 20, settleMs: 0 } });
    const flags = untyped(app.get(FeatureFlags));
    expect(flags.isEnabled('a', {}, true)).toBe(false);
    await writeFile(path, text({ a: true }));
    await eventually(() => expect(flags.isEnabled('a')).toBe(true));
    await eventually(async () => expect(await health(app)).toMatchObject({ source: path, flags: 1 }));
  });

  it('may be not there yet: no line, healthy, read when it appears, and its flags go with it', async () => {
    const path = await place();
    const warnings = jest.spyOn(Logger.prototype, 'warn');
    await using app = await boot(path, {
      startup: 'require',
      flags: { a: false },
      file: { required: false, pollMs: 60_000, settleMs: 10 },
    });
    const flags = untyped(app.get(FeatureFlags));
    expect(flags.version).toBe(0);
    expect(await health(app)).toMatchObject({ source: path, version: 0, file: 'is not there yet' });
    expect(await health(app)).not.toHaveProperty('degraded');
    await writeFile(path, text({ a: true, b: true }));
    await eventually(() => expect(Object.keys(flags.definitions().flags)).toEqual(['a', 'b']));
    expect(await health(app)).not.toHaveProperty('file');
    await rm(path);
    await eventually(() => expect([flags.isEnabled('a'), flags.definitions().flags['b']]).toEqual([false, undefined]));
    expect(await health(app)).toMatchObject({ version: 0, file: 'is not there yet' });
    expect([errors, warnings].map(line => line.mock.calls)).toEqual([[], []]);
  });

  it('keeps its flags while it is deleted to be made anew, also where it need not be there', async () => {
    const path = await place(text({ a: true }));
    await using app = await boot(path, { file: { required: false, pollMs: 10, settleMs: 1_000 } });
    const flags = untyped(app.get(FeatureFlags));
    const seen: number[] = [];
    flags.onChange(({ version }) => void seen.push(version));
    await rm(path);
    await writeFile(path, text({ a: true, b: true }));
    await eventually(() => expect(flags.definitions().flags).toHaveProperty('b'));
    expect(seen).toEqual([flags.version]);
  });

  it('is made with the first change, and its folder too', async () => {
    const path = join(await place(), '..', 'not', 'there', 'flags.json');
    await using app = await boot(path, { file: { required: false, pollMs: 20, settleMs: 0 } });
    await storeOf(app.get(FeatureFlags)).change({ flag: 'a', to: { ...flag(true), state: 'ENABLED' }, by: 'ann' });
    await eventually(() => expect(untyped(app.get(FeatureFlags)).isEnabled('a')).toBe(true));
  });

  it('is not changed where the change could have no line in the history', async () => {
    const path = await place(text({ a: true }));
    await mkdir(`${path}.history`);
    await using app = await boot(path);
    const change = storeOf(app.get(FeatureFlags)).change({ flag: 'a', to: null, by: 'ann' });
    await expect(change).rejects.toMatchObject({
      code: 'INFRA_FLAGS_FILE',
      message: expect.stringContaining('.history" cannot be written (EISDIR)') as string,
    });
    expect(await readFile(path, 'utf8')).toBe(text({ a: true }));
  });

  it('fails the boot where the flags are required', async () => {
    const path = await place('{ "flags": { "a": 1 } }');
    await expect(boot(path, { startup: 'require' })).rejects.toMatchObject({
      cause: {
        code: 'INFRA_FLAGS_INVALID',
        problems: [{ pointer: '/flags/a', line: 1, message: 'must be an object' }],
      },
    });
  });

  it('is changed in one step, keeps its other parts and leaves nothing behind', async () => {
    const content = {
      $schema: 'https://flagd.dev/schema/v0/flags.json',
      metadata: { team: 'a' },
      flags: { a: flag(false) },
    };
    const path = await place(JSON.stringify(content));
    await using app = await boot(path);
    const flags = untyped(app.get(FeatureFlags));
    const store = storeOf(app.get(FeatureFlags));
    const done = await store.change({ flag: 'a', to: { ...flag(true), state: 'ENABLED' }, by: 'ann' });
    await eventually(() => expect(flags.isEnabled('a')).toBe(true));
    expect(flags.version).toBe(done.version);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ ...content, flags: { a: flag(true) } });
    expect((await readdir(join(path, '..'))).sort()).toEqual(['flags.json', 'flags.json.history']);
    expect(await store.history()).toEqual([
      { version: done.version, at: expect.any(String), by: 'ann', flag: 'a', from: flag(false), to: flag(true) },
    ]);
  });
});
