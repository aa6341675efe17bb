import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, runChild, startRedis, useRedis } from '@core-infra/testing';
import { readGuardState } from '../../src/dev-services/guard.client.js';
import { isAlive, isRunningWith } from '../../src/dev-services/process.js';

describe('Redis servers whose parent is killed with -9', () => {
  // For what it says of a machine without Redis.
  useRedis();

  async function hold(kind: string) {
    const child = runChild(join(__dirname, '../fixtures/redis-holder.main.ts'), { args: [kind] });
    const [line] = await child.waitForLine(/^\[.*\]$/);
    return { child, servers: JSON.parse(line) as { pid: number; folder: string }[] };
  }
  const gone = (servers: readonly { pid: number; folder: string }[]) =>
    eventually(() => {
      for (const { pid, folder } of servers) {
        expect(isAlive(pid)).toBe(false);
        expect(existsSync(folder)).toBe(false);
      }
    });

  it.each([
    ['redis', 1],
    ['cluster', 3],
  ])('end with it, and so do their data: %s', async (kind, count) => {
    const { child, servers } = await hold(kind);
    expect(servers.map(({ pid }) => isAlive(pid))).toEqual(Array(count).fill(true));
    child.kill('SIGKILL');
    await child.exit;
    await gone(servers);
  });

  it('are found and ended by the next start when their guard was killed as well', async () => {
    const { child, servers } = await hold('redis');
    const [{ pid, folder }] = servers as [{ pid: number; folder: string }];
    process.kill(readGuardState(folder)?.guardPid ?? 0, 'SIGKILL');
    child.kill('SIGKILL');
    await child.exit;
    expect(isRunningWith(pid, folder)).toBe(true);
    await using server = await startRedis();
    expect(server.port).toBeGreaterThan(0);
    await gone(servers);
  });
});
