import { type Started, type TestRedis, uniqueName, useRedis } from '@core-infra/testing';
import { withRedis } from '../../src/redis/redis.admin.js';

describe('useRedis', () => {
  const first = useRedis();
  const second = useRedis();

  it('is one server for all who ask in a run', async () => {
    const key = uniqueName('shared');
    await withRedis(first.url, client => client.set(key, 'seen', 'EX', 60));
    expect(await withRedis(second.url, client => client.get(key))).toBe('seen');
  });

  it('says what is needed to reach it, and lets nobody in without the password', async () => {
    const { host, port, password } = first;
    expect(`redis://:${password}@${host}:${port}`).toBe(first.url);
    await expect(withRedis(`redis://${host}:${port}`, client => client.ping())).rejects.toThrow('NOAUTH');
  });

  it('writes nothing to disk and listens on loopback only', async () => {
    const read = (name: string) => withRedis(first.url, client => client.config('GET', name));
    expect(await read('save')).toEqual(['save', '']);
    expect(await read('appendonly')).toEqual(['appendonly', 'no']);
    expect(await read('bind')).toEqual(['bind', '127.0.0.1']);
  });
});

describe('while the file loads', () => {
  let failure: unknown;
  const read = (redis: Started<TestRedis>): string => redis.url;
  try {
    read(useRedis());
  } catch (error) {
    failure = error;
  }

  it('there is no server yet, and it says so', () => {
    expect(failure).toMatchObject({ code: 'INFRA_DEV_SERVICE_STATE', problem: 'The server is not there yet.' });
  });
});
