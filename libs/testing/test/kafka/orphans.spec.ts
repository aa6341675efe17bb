import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, runChild, useKafkaServer } from '@core-infra/testing';
import { isAlive } from '../../src/dev-services/process.js';

describe('a Kafka server whose parent is killed with -9', () => {
  // For what it says of a machine without Kafka.
  useKafkaServer();

  it('ends with it, and so do its data', async () => {
    const child = runChild(join(__dirname, '../fixtures/broker-holder.main.ts'), { args: ['kafka'] });
    const [line] = await child.waitForLine(/^\{.*\}$/);
    const { pid, folder } = JSON.parse(line) as { pid: number; folder: string };
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    await child.exit;
    await eventually(() => {
      expect(isAlive(pid)).toBe(false);
      expect(existsSync(folder)).toBe(false);
    });
  }, 60_000);
});
