import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { userInfo } from 'node:os';
import { runCli } from '@core-infra/cli';
import { eventually, uniqueName, useRedis } from '@core-infra/testing';
import type { FlagSnapshot } from '../../src/flag-store.js';
import { openStore } from '../support/redis-store.js';
import { useFolder } from '../support/use-folder.js';

const binary = resolve(__dirname, '../../../../cli/bin/core-infra.cjs');
const app = resolve(__dirname, '../fixtures/flags.app.ts');

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const folder = useFolder();

describe('core-infra flags', () => {
  const redis = useRedis();
  let key: string;
  beforeEach(() => {
    key = uniqueName('flags');
  });

  afterAll(() => {
    delete process.env['SPEC_REDIS'];
    delete process.env['SPEC_KEY'];
  });

  /** As typed in a shell, in a process of its own. */
  const type = (args: readonly string[], { stdin = '', env = {} as NodeJS.ProcessEnv } = {}): Promise<Ran> =>
    new Promise(done => {
      const child = execFile(
        process.execPath,
        [binary, '--app', app, ...args],
        { env: { ...process.env, SPEC_REDIS: redis.url, SPEC_KEY: key, ...env } },
        (error, out, err) => done({ code: Number(error?.code ?? 0), out, err }),
      );
      child.stdin?.end(stdin);
    });
  /** The same in this process, many times faster. */
  const flags = async (...args: string[]): Promise<Ran> => {
    Object.assign(process.env, { SPEC_REDIS: redis.url, SPEC_KEY: key });
    let out = '';
    let err = '';
    const streams = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) };
    const { signal } = new AbortController();
    const argv = ['--app', app, 'flags', ...args];
    const code = await runCli({ argv, cwd: __dirname, env: process.env, streams, signal });
    return { code, out, err };
  };
  const json = ({ out }: Ran) => JSON.parse(out) as any;

  it('changes flags of running processes, and keeps who did what', async () => {
    await using running = await openStore({ url: redis.url }, { key });
    const seen: FlagSnapshot[] = [];
    await running.store.read();
    await running.store.watch(snapshot => seen.push(snapshot), fail);

    expect(await flags('set', 'banner', 'off', '--by', 'ann')).toMatchObject({ code: 0, err: '' });
    expect(await flags('rollout', 'banner', '20%', '--by', 'bob')).toMatchObject({
      code: 0,
      out: expect.stringContaining('20% on'),
    });
    expect(await flags('disable', 'banner')).toMatchObject({ code: 0, out: expect.stringContaining('disabled') });
    await eventually(() =>
      expect(seen.at(-1)).toMatchObject({
        version: 3,
        document: {
          flags: {
            banner: {
              state: 'DISABLED',
              targeting: {
                fractional: [
                  ['on', 20],
                  ['off', 80],
                ],
              },
            },
          },
        },
      }),
    );
    expect(await flags('enable', 'banner', '--if-version', '3')).toMatchObject({ code: 0 });
    expect(json(await flags('history', 'banner', '--json'))).toMatchObject([
      { version: 4, by: userInfo().username, flag: 'banner', from: { state: 'DISABLED' }, to: { state: 'ENABLED' } },
      { version: 3, by: userInfo().username },
      { version: 2, by: 'bob' },
      { version: 1, by: 'ann', from: null },
    ]);
    const { out } = await flags('history', '--limit', '1');
    expect(out).toMatch(/at +by +flag +from +to +version/);
    expect(out.trim().split('\n')).toHaveLength(3);
    expect((await flags('list')).out).toMatch(
      /banner +ENABLED +off +20% on .*store\ncheckout +ENABLED +on .*configuration/,
    );
    expect(json(await flags('get', 'banner', '--json'))).toMatchObject({ version: 4, flag: 'banner', source: 'store' });
    expect(JSON.parse((await flags('get', 'checkout')).out)).toMatchObject({ state: 'ENABLED', defaultVariant: 'on' });
    expect(await flags('unset', 'banner')).toMatchObject({ code: 0 });
    expect(await flags('get', 'banner')).toMatchObject({ code: 3 });
  }, 120_000);

  it('takes a definition as text or from stdin', async () => {
    const theme = { state: 'ENABLED', variants: { dark: 'd', light: 'l' }, defaultVariant: 'light' };
    expect(await flags('set', 'theme', JSON.stringify(theme))).toMatchObject({ code: 0 });
    expect(await flags('set', 'theme', 'dark')).toMatchObject({ code: 0 });
    expect(await type(['flags', 'set', 'other', '-'], { stdin: JSON.stringify(theme) })).toMatchObject({ code: 0 });
    expect(json(await flags('list', '--json'))).toMatchObject([
      { flag: 'checkout', source: 'configuration' },
      { flag: 'other', version: 3, definition: theme },
      { flag: 'theme', definition: { ...theme, defaultVariant: 'dark' } },
    ]);
  }, 60_000);

  it('moves flags to another environment as one change, checked as a whole, and back out again', async () => {
    const flag = (more: object = {}) => ({
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'on',
      ...more,
    });
    const targeting = (rule: object) => ({ if: [rule, 'on', 'off'] });
    const isStaff = { in: ['staff', { var: 'roles' }] };
    const document = {
      $evaluators: { isStaff },
      flags: {
        needy: flag({ metadata: { requires: 'base' } }),
        base: flag({ targeting: targeting({ $ref: 'isStaff' }) }),
      },
    };
    const file = join(folder.path, 'flags.json');
    await writeFile(file, JSON.stringify(document));
    await writeFile(join(folder.path, 'bad.yaml'), 'flags:\n  base:\n    state: MAYBE\n    variants: { on: true }\n');
    const [tried, bad, missing] = await Promise.all([
      flags('import', file, '--dry-run', '--json'),
      flags('import', join(folder.path, 'bad.yaml')),
      flags('import', join(folder.path, 'none.json')),
    ]);
    expect(json(tried)).toMatchObject([
      { flag: 'needy', from: null, version: 0, dryRun: true },
      { flag: 'base', from: null, to: flag({ targeting: targeting(isStaff) }) },
    ]);
    expect(bad).toMatchObject({
      code: 5,
      out: '',
      err: expect.stringContaining('bad.yaml are refused: 3:12 /flags/base/state'),
    });
    expect(missing).toMatchObject({ code: 5, err: expect.stringContaining('none.json cannot be read (ENOENT)') });

    expect(await flags('import', file, '--by', 'ann')).toMatchObject({ code: 0, err: '' });
    const { out } = await flags('export');
    expect(JSON.parse(out)).toEqual({ flags: { ...document.flags, base: flag({ targeting: targeting(isStaff) }) } });
    // A dry run refuses what would be refused in earnest: another flag needs this one.
    for (const dry of [['--dry-run'], []])
      expect(await flags('unset', 'base', ...dry)).toMatchObject({
        code: 5,
        err: expect.stringContaining('there is no flag "base"'),
      });
    const [again, conflict, pruned, all, history] = await Promise.all([
      type(['flags', 'import', '-'], { stdin: out }),
      flags('import', file, '--if-version', '7'),
      type(['flags', 'import', '-', '--prune', '--dry-run', '--json'], { stdin: '{"flags":{}}' }),
      flags('export', '--all', '--json'),
      flags('history', '--json'),
    ]);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('Nothing had to be changed') });
    expect(conflict).toMatchObject({ code: 4, err: expect.stringContaining('INFRA_FLAGS_CONFLICT') });
    expect(json(pruned)).toMatchObject([
      { flag: 'needy', to: null },
      { flag: 'base', to: null },
    ]);
    expect(Object.keys(json(all).flags).sort()).toEqual(['base', 'checkout', 'needy']);
    expect(json(history)).toMatchObject([
      { version: 1, by: 'ann', flag: 'base' },
      { version: 1, by: 'ann', flag: 'needy' },
    ]);
  }, 60_000);

  it('reads the configuration that --config-dir names', async () => {
    await writeFile(join(folder.path, 'default.yaml'), 'featureFlags: { flags: { fromFile: true } }\n');
    const env = { SPEC_REDIS: undefined, SPEC_CONFIG: 'yes' };
    const [before, after] = await Promise.all([
      type(['--config-dir', folder.path, 'flags', 'list'], { env }),
      type(['flags', 'list', `--config-dir=${folder.path}`], { env }),
    ]);
    expect(before).toMatchObject({ code: 0, out: expect.stringContaining('fromFile') });
    expect(after).toEqual(before);
  }, 60_000);

  it('has exit codes that tell an unknown flag, a conflict and a refusal apart, and changes nothing', async () => {
    await flags('set', 'banner', 'on');
    const refused = { code: 5, out: '' };
    const bad = JSON.stringify({ state: 'MAYBE', variants: { on: true } });
    const ran = await Promise.all([
      flags('enable', 'baner'),
      flags('disable', 'banner', '--if-version', '7'),
      flags('set', 'banner', bad),
      flags('set', 'banner', 'purple'),
      flags('rollout', 'banner', '120'),
      flags('set', 'a b', 'on'),
      flags('set', 'banner', '{"state":'),
      flags('disable', 'banner', '--dry-run', '--json'),
    ]);
    expect(ran[0]).toMatchObject({ code: 3, out: '', err: expect.stringContaining('Did you mean banner?') });
    expect(ran[1]).toMatchObject({ code: 4, out: '', err: expect.stringContaining('INFRA_FLAGS_CONFLICT') });
    expect(ran[2]).toMatchObject({ ...refused, err: expect.stringContaining('/flags/banner/state') });
    expect(ran[3]).toMatchObject({ ...refused, err: expect.stringContaining('It has on, off') });
    expect(ran[4]).toMatchObject({ ...refused, err: expect.stringContaining('no percentage') });
    expect(ran[5]).toMatchObject({ ...refused, err: expect.stringContaining('INFRA_FLAGS_') });
    expect(ran[6]).toMatchObject({ ...refused, err: expect.stringContaining('no JSON') });
    expect(json(ran[7])).toMatchObject([{ flag: 'banner', dryRun: true, version: 1, to: { state: 'DISABLED' } }]);
    expect(json(await flags('history', '--json'))).toHaveLength(1);
  }, 120_000);

  it('says which driver to choose where changes are not stored', async () => {
    const env = { SPEC_REDIS: undefined };
    expect(await type(['flags', 'list'], { env })).toMatchObject({ code: 0, out: expect.stringContaining('checkout') });
    expect(await type(['flags', 'disable', 'checkout'], { env })).toMatchObject({
      code: 5,
      err: expect.stringMatching(/driver "memory".*INFRA_FLAGS_READ_ONLY.*\n.*"file" or "redis"/),
    });
  }, 60_000);
});

const fail = (error: unknown): void => {
  throw error;
};
