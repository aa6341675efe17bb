import { join } from 'node:path';
import { ChildEndedError, loadedPackages, runChild } from '@core-infra/testing';
import { isAlive } from '../../src/dev-services/process.js';

const fixture = (name: string) => join(__dirname, '../fixtures', name);

describe('runChild', () => {
  it('runs TypeScript with decorators, constructor injection and one copy of every class', async () => {
    const child = runChild(fixture('decorated.main.ts'), { args: ['a b', 'c'] });
    expect(await child.exit).toEqual({ code: 0, signal: null });
    expect(child.stdout.map(line => JSON.parse(line) as unknown)).toEqual([
      { injected: true, same: true, args: ['a b', 'c'] },
    ]);
  });

  it('names the line of the TypeScript source when it fails', async () => {
    const child = runChild(fixture('decorated.main.ts'), { args: ['throw'] });
    expect((await child.exit).code).toBe(1);
    expect(child.lines.join('\n')).toMatch(/thrown here[\s\S]+decorated\.main\.ts:\d+:\d+/);
  });

  it('waits for lines, also for those that are there, and passes environment and signals', async () => {
    const child = runChild(fixture('echo.main.cjs'), { env: { GREETING: 'hello' } });
    const [, pid] = await child.waitForLine(/^hello from (\d+)$/);
    expect(Number(pid)).toBe(child.pid);
    expect((await child.waitForLine(/^hello.*/))[0]).toBe(`hello from ${child.pid}`);
    child.kill('SIGTERM');
    expect(await child.exit).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('rejects with what was written when the line never comes', async () => {
    const child = runChild(fixture('echo.main.cjs'), { env: { GREETING: 'bye', CODE: '3' } });
    const failure = child.waitForLine(/^never$/);
    await expect(failure).rejects.toThrow(ChildEndedError);
    await expect(failure).rejects.toThrow(/ended with 3 [\s\S]*bye from/);
  });

  it('kills what is left at the end of the block', async () => {
    let pid: number;
    {
      await using child = runChild(fixture('echo.main.cjs'));
      await child.waitForLine(/from/);
      pid = child.pid;
      expect(isAlive(pid)).toBe(true);
    }
    expect(isAlive(pid)).toBe(false);
  });
});

describe('runChild, over a file', () => {
  let pid: number;

  it('leaves a process for the next spec', async () => {
    const child = runChild(fixture('echo.main.cjs'));
    await child.waitForLine(/from/);
    ({ pid } = child);
    expect(isAlive(pid)).toBe(true);
  });

  it('which finds it alive; the hook at the end of the file kills it', () => {
    expect(isAlive(pid)).toBe(true);
  });
});

describe('loadedPackages', () => {
  it('lists what was required and imported, and nothing else', async () => {
    const packages = await loadedPackages(fixture('decorated.main.ts'));
    expect(packages).toEqual(expect.arrayContaining(['@nestjs/core', '@nestjs/common', 'reflect-metadata', 'rxjs']));
    expect(packages).not.toContain('pg');
  });

  it('lists the workspace’s packages by their names', async () => {
    expect(await loadedPackages(fixture('loads-testing.main.ts'))).toEqual(
      expect.arrayContaining(['@core-infra/kernel', '@core-infra/testing', 'pg']),
    );
  });

  it('fails with the output of a program that fails', async () => {
    await expect(loadedPackages(fixture('echo.main.cjs'), { CODE: '4', GREETING: 'oh' })).rejects.toThrow(
      /ended with 4:\noh from/,
    );
  });
});
