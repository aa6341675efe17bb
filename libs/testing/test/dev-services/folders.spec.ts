import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnsafeFolderError } from '@core-infra/testing';
import { baseFolder, canEnter, privateFolder, projectFolder } from '../../src/dev-services/folders.js';
import { sweep } from '../../src/dev-services/sweep.js';

const scratch = mkdtempSync(join(tmpdir(), 'core-infra-folders-'));
chmodSync(scratch, 0o755);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const somebody = { uid: 54_321, gid: 54_321 };

function folder(name: string, mode: number): string {
  mkdirSync(join(scratch, name), { recursive: true });
  chmodSync(join(scratch, name), mode);
  return join(scratch, name);
}

describe('canEnter', () => {
  it('asks the folder and everything above it', () => {
    const closed = folder('closed', 0o700);
    mkdirSync(join(closed, 'open'), { mode: 0o755 });
    expect(canEnter(folder('open', 0o711), somebody)).toBe(true);
    expect(canEnter(closed, somebody)).toBe(false);
    expect(canEnter(join(closed, 'open'), somebody)).toBe(false);
  });

  it('counts the owner’s and the group’s own permission', () => {
    const closed = folder('owned', 0o700);
    const { uid, gid } = statSync(closed);
    expect(canEnter(closed, { uid, gid })).toBe(true);
    chmodSync(closed, 0o710);
    expect(canEnter(closed, { uid: somebody.uid, gid })).toBe(true);
  });
});

describe('folders of servers', () => {
  it('are private ones under a folder of this user that others pass through but do not list', () => {
    const [first, second] = [privateFolder('spec'), privateFolder('spec')];
    expect(first).not.toBe(second);
    for (const each of [first, second]) {
      expect(statSync(each).mode & 0o777).toBe(0o711);
      rmSync(each, { recursive: true });
    }
  });

  it('are refused where somebody has put something else', () => {
    const parent = folder('trap', 0o755);
    symlinkSync(scratch, join(parent, `core-infra-${process.getuid?.()}`));
    expect(() => baseFolder(parent)).toThrow(UnsafeFolderError);
  });

  it('of a project are inside of it', () => {
    const project = folder('project', 0o755);
    expect(projectFolder('spec', project, somebody)).toBe(join(project, '.dev-services', 'spec'));
    expect(projectFolder('spec', folder('mine', 0o700))).toBe(join(scratch, 'mine', '.dev-services', 'spec'));
  });

  it('of a project that the server may not enter are outside, for as long as the project is there', async () => {
    const project = folder('secluded', 0o700);
    const outside = projectFolder('spec', project, somebody);
    expect(outside.startsWith('/var/tmp/')).toBe(true);
    expect(projectFolder('spec', project, somebody)).toBe(outside);
    await sweep();
    expect(existsSync(outside)).toBe(true);

    rmSync(project, { recursive: true });
    await sweep();
    expect(existsSync(outside)).toBe(false);
  });
});
