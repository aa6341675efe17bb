import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, runChild, startRabbitmq, useRabbitmqServer } from '@core-infra/testing';
import { readGuardState } from '../../src/dev-services/guard.client.js';
import { isAlive, isRunningWith } from '../../src/dev-services/process.js';

describe('a RabbitMQ whose parent is killed with -9', () => {
  // For what it says of a machine without RabbitMQ.
  useRabbitmqServer();

  async function hold() {
    const child = runChild(join(__dirname, '../fixtures/broker-holder.main.ts'), { args: ['rabbitmq'] });
    const [line] = await child.waitForLine(/^\{.*\}$/);
    return { child, ...(JSON.parse(line) as { pid: number; folder: string }) };
  }
  const gone = (pid: number, folder: string) =>
    eventually(
      () => {
        expect(isAlive(pid)).toBe(false);
        expect(existsSync(folder)).toBe(false);
        expect(processesOf(folder)).toEqual([]);
      },
      { timeoutMs: 20_000 },
    );

  it('ends with it, Erlang’s helpers included, and so do its data', async () => {
    const { child, pid, folder } = await hold();
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('beam');
    expect(processesOf(folder)).toContain(pid);
    child.kill('SIGKILL');
    await child.exit;
    await gone(pid, folder);
  });

  it('is found and ended by the next start when its guard was killed as well', async () => {
    const { child, pid, folder } = await hold();
    process.kill(readGuardState(folder)?.guardPid ?? 0, 'SIGKILL');
    child.kill('SIGKILL');
    await child.exit;
    expect(isRunningWith(pid, folder)).toBe(true);
    await using server = await startRabbitmq();
    expect(server.port).toBeGreaterThan(0);
    await gone(pid, folder);
  });
});

/** Those that have the folder in their environment: the broker, Erlang's port mapper if there were one, and helpers. */
function processesOf(folder: string): number[] {
  const pids = execFileSync('ps', ['-A', '-o', 'pid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(([, state]) => !state?.startsWith('Z'))
    .map(([pid]) => Number(pid));
  return pids.filter(pid => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${folder}`);
    } catch {
      // It ended between the two looks.
      return false;
    }
  });
}
