import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigModule } from '@core-infra/config';
import { RedisClient, RedisModule } from '@core-infra/redis';
import { bootInfra, eventually, failure, uniqueName, useRedis } from '@core-infra/testing';

describe('a change of the configuration while the app runs', () => {
  const server = useRedis();
  let root: string;
  beforeAll(async () => (root = await mkdtemp(join(tmpdir(), 'redis-live-'))));
  afterAll(() => rm(root, { recursive: true }));

  it('commandTimeoutMs is in force at once', async () => {
    const file = join(root, 'config', 'default.json');
    const { mkdir } = await import('node:fs/promises');
    await mkdir(join(root, 'config'));
    const write = (commandTimeoutMs: number) =>
      writeFile(file, JSON.stringify({ redis: { url: server.url, commandTimeoutMs } }));
    await write(20_000);
    await using app = await bootInfra(
      ConfigModule.forRoot({ root, env: {}, argv: [], watch: true, environment: 'test' }),
      RedisModule.forRootAsync(),
    );
    const client = app.get(RedisClient);
    expect(await eventually(() => client.ping())).toBe('PONG');
    await write(60);
    await eventually(async () =>
      expect(
        await failure(client.blpop(uniqueName('never'), 0.3).then(() => Promise.reject(new Error('ended')))),
      ).toMatchObject({
        code: 'INFRA_REDIS_TIMEOUT',
        timeoutMs: 60,
      }),
    );
  });
});
