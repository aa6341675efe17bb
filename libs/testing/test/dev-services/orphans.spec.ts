import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { eventually, runChild, startPostgres, uniqueName } from '@core-infra/testing';
import { readGuardState } from '../../src/dev-services/guard.client.js';
import { isAlive } from '../../src/dev-services/process.js';
import { hold } from './holder.js';

const gone = (pid: number, folder: string) =>
  eventually(() => {
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(folder)).toBe(false);
  });

describe('a server whose parent is killed with -9', () => {
  it('ends with it, and so do its guard, its data and its socket', async () => {
    const { child, pid, data } = await hold('private');
    const state = readGuardState(dirname(data));
    expect(isAlive(pid)).toBe(true);

    child.kill('SIGKILL');
    await child.exit;

    await gone(pid, dirname(data));
    await eventually(() => expect(isAlive(state?.guardPid ?? 0)).toBe(false));
    expect(existsSync(state?.socket ?? '')).toBe(false);
  });

  it('ends also when the parent dies while the server is being started', async () => {
    const child = runChild(join(__dirname, '../fixtures/dies-starting.main.ts'));
    const [line] = await child.waitForLine(/^folder .*/);
    const folder = line.slice('folder '.length);
    await child.exit;
    await eventually(() => expect(existsSync(folder)).toBe(false));
  });

  it('is found and ended by the next start when its guard was killed as well', async () => {
    const { child, pid, data } = await hold('private');
    process.kill(readGuardState(dirname(data))?.guardPid ?? 0, 'SIGKILL');
    child.kill('SIGKILL');
    await child.exit;
    expect(isAlive(pid)).toBe(true);

    await using server = await startPostgres();
    expect(server.address).not.toBe('');
    await gone(pid, dirname(data));
  });
});

describe('a shared server', () => {
  it('is one for all who say the same run, and ends when the last of them is gone', async () => {
    const run = uniqueName('run');
    const [first, second] = await Promise.all([hold('run', run), hold('run', run)]);
    expect(second.pid).toBe(first.pid);

    first.child.kill('SIGKILL');
    await first.child.exit;
    const third = await hold('run', run);
    expect(third.pid).toBe(first.pid);

    for (const { child } of [second, third]) child.kill('SIGKILL');
    await gone(first.pid, dirname(first.data));
  });

  it('is another one for another run, side by side', async () => {
    const [first, second] = await Promise.all([hold('run', uniqueName('run')), hold('run', uniqueName('run'))]);
    expect(second.pid).not.toBe(first.pid);
    expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
    for (const { child } of [first, second]) child.kill('SIGKILL');
    await Promise.all([first, second].map(({ pid, data }) => gone(pid, dirname(data))));
  });
});

describe('a project’s server', () => {
  const project = mkdtempSync(join(tmpdir(), 'core-infra-project-'));
  chmodSync(project, 0o755);
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it('is joined while it runs, keeps its data, and comes back on its port', async () => {
    const first = await hold('project', project);
    const second = await hold('project', project);
    expect(second.url).toBe(first.url);

    for (const { child } of [first, second]) {
      child.kill('SIGUSR2');
      await child.waitForLine(/^left$/);
    }
    // Who leaves last has waited for the end.
    expect(isAlive(first.pid)).toBe(false);
    expect(readdirSync(first.data)).toContain('PG_VERSION');

    const again = await hold('project', project);
    expect(again.url).toBe(first.url);
    expect(again.data).toBe(first.data);
    again.child.kill('SIGKILL');
    await eventually(() => expect(isAlive(again.pid)).toBe(false));
    expect(readdirSync(first.data)).toContain('PG_VERSION');
    await eventually(() => expect(readGuardState(dirname(first.data))).toBeUndefined());
  });
});
