import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withFileLock } from '../../src/dev-services/file-lock.js';

describe('withFileLock', () => {
  const folder = mkdtempSync(join(tmpdir(), 'core-infra-lock-'));
  const lock = join(folder, 'lock');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('lets one at a time in, and goes on after a failure', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise(setImmediate);
      inside--;
      throw new RangeError('over');
    };
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => withFileLock(lock, work)));
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
    expect(most).toBe(1);
    expect(existsSync(lock)).toBe(false);
  });

  it('is not held by the dead', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    writeFileSync(lock, `${pid} killed`);
    expect(await withFileLock(lock, () => Promise.resolve('mine'))).toBe('mine');
    expect(readdirSync(folder)).toEqual([]);
  });
});
