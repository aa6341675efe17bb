import { Connections } from '@core-infra/kernel';
import { classifyRedis, RedisClient, RedisModule } from '@core-infra/redis';
import { bootInfra, failure, useRedisServer } from '@core-infra/testing';
import { ReplyError } from 'ioredis';

const reply = (text: string) => new (ReplyError as new (text: string) => Error)(text);

describe('what an error of Redis means', () => {
  const server = useRedisServer({ args: ['--maxmemory', '1mb', '--maxmemory-policy', 'noeviction'] });

  it.each([
    ["READONLY You can't write against a read only replica.", 'dependency', true],
    ['LOADING Redis is loading the dataset in memory', 'dependency', true],
    ['CLUSTERDOWN The cluster is down', 'dependency', true],
    ['MOVED 3999 127.0.0.1:6381', 'dependency', true],
    ['BUSY Redis is busy running a script.', 'dependency', true],
    ['MASTERDOWN Link with MASTER is down', 'dependency', true],
    ['NOAUTH Authentication required.', 'server', false],
    ['WRONGPASS invalid username-password pair', 'server', false],
    ['NOPERM this user has no permissions', 'server', false],
    ['CROSSSLOT Keys in request don’t hash to the same slot', 'server', false],
    ['ERR value is not an integer or out of range', 'client', false],
    ['ERR unknown command', 'server', false],
  ] as const)('%s: %s, retryable %s', (text, fault, retryable) =>
    expect(classifyRedis(reply(text))).toEqual({ fault, retryable }),
  );

  it.each([
    'Connection is closed.',
    'Command timed out',
    "Stream isn't writeable and enableOfflineQueue options is false",
    'Too many Cluster redirections. Last error: ReplyError: MOVED 1 a:1',
    'Reached the max retries per request limit (which is 3). Refer to "maxRetriesPerRequest" option for details.',
  ])('ioredis’s “%s” is the dependency’s', text =>
    expect(classifyRedis(new Error(text))).toEqual({ fault: 'dependency', retryable: true }),
  );

  it('errors as a server gives them; what others throw is not judged', async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = app.get(RedisClient);
    const connections = app.get(Connections);
    await client.setrange('big', 3_000_000, 'x').catch(() => undefined); // it may be full before that
    expect(connections.classify(await failure(client.set('k', 'v')))).toEqual({
      fault: 'dependency',
      retryable: true,
      retryAfterMs: 1_000,
    });
    expect(connections.classify(await failure(client.eval('this is no lua', 0)))).toEqual({
      fault: 'server',
      retryable: false,
    });
    expect(classifyRedis(new Error('mine'))).toBeUndefined();
    expect(classifyRedis('text')).toBeUndefined();
  });
});
