import { join } from 'node:path';
import { runChild, uniqueName, useRedis } from '@core-infra/testing';

describe('four processes over one Redis', () => {
  const redis = useRedis();

  it('admit exactly 100 of a burst, with a limit of 100 an hour', async () => {
    const args = [redis.url, uniqueName('burst'), 'hourly', '80'];
    const children = Array.from({ length: 4 }, () => runChild(join(__dirname, 'fixtures/burst.main.ts'), { args }));
    await Promise.all(children.map(child => child.waitForLine(/^ready$/)));
    for (const child of children) child.kill('SIGUSR2');
    const passed = await Promise.all(
      children.map(async child => Number((await child.waitForLine(/^allowed (\d+)$/))[1])),
    );
    expect(passed.reduce((sum, count) => sum + count)).toBe(100);
    expect(await Promise.all(children.map(child => child.exit))).toEqual(Array(4).fill({ code: 0, signal: null }));
  });
});
