import { ConfigModule } from '@core-infra/config';
import { ConfigError } from '@core-infra/kernel';
import { getRedisToken, Redis, RedisClient, RedisConfig, RedisModule } from '@core-infra/redis';
import { bootLogged, eventually, failure, useRedis, useRedisServer } from '@core-infra/testing';

/** The module as configured by these variables alone. */
const from = (env: Record<string, string>, name?: string) =>
  bootLogged(
    ConfigModule.forRoot({ root: '/nowhere', env, argv: [], watch: false, environment: 'test' }),
    RedisModule.forRootAsync({ name }),
  );
const optionsOf = async (env: Record<string, string>) => {
  await using booted = await from({ REDIS_ADDR: '127.0.0.1:1', ...env });
  return { ...booted.app.get(Redis).options };
};

describe('RedisModule.forRootAsync() by the environment', () => {
  const server = useRedis();
  const own = useRedisServer({ users: [{ name: 'orders', password: 'p@ss/word', rules: '~* &* +@all' }] });

  it('REDIS_URL', async () => {
    await using booted = await from({ REDIS_URL: server.url });
    expect(await eventually(() => booted.app.get(RedisClient).ping())).toBe('PONG');
  });

  it('REDIS_ADDR + REDIS_PASSWORD + REDIS_DB + REDIS_NAMESPACE', async () => {
    await using booted = await from({
      REDIS_ADDR: `${own.host}:${own.port}`,
      REDIS_PASSWORD: own.password!,
      REDIS_DB: '2',
      REDIS_NAMESPACE: 'ns:',
      APP_NAME: 'my-app',
    });
    const client = booted.app.get(RedisClient);
    await eventually(() => client.set('key', 'v'));
    expect(await client.client('LIST')).toMatch(/name=my-app .*db=2 /);
    await using plain = await from({ REDIS_URL: own.url, REDIS_DB: '2' });
    expect(await eventually(() => plain.app.get(RedisClient).get('ns:key'))).toBe('v');
  });

  it('REDIS_HOST, REDIS_PORT and an ACL user; the password percent-encoded in a URL', async () => {
    await using fields = await from({
      REDIS_HOST: own.host,
      REDIS_PORT: String(own.port),
      REDIS_USERNAME: 'orders',
      REDIS_PASSWORD: 'p@ss/word',
    });
    expect(await eventually(() => fields.app.get(RedisClient).acl('WHOAMI'))).toBe('orders');
    await using url = await from({ REDIS_URL: own.urlFor('orders', 'p@ss/word') });
    expect(await eventually(() => url.app.get(RedisClient).acl('WHOAMI'))).toBe('orders');
  });

  it('a named connection: REDIS__SESSIONS__URL', async () => {
    await using booted = await from({ REDIS__SESSIONS__URL: server.url }, 'sessions');
    expect(await eventually(() => booted.app.get<RedisClient>(getRedisToken('sessions')).ping())).toBe('PONG');
  });

  it('timeouts in seconds, retries; REDIS_CONNECT_TIMEOUT_MS in its own unit', async () => {
    expect(
      await optionsOf({
        REDIS_DIAL_TIMEOUT: '5',
        REDIS_READ_TIMEOUT: '3',
        REDIS_WRITE_TIMEOUT: '3',
        REDIS_MAX_RETRIES: '7',
      }),
    ).toMatchObject({
      connectTimeout: 5_000,
      commandTimeout: 3_000,
      maxRetriesPerRequest: 7,
    });
    expect(await optionsOf({ REDIS_DIAL_TIMEOUT: '2', REDIS_READ_TIMEOUT: '0.25' })).toMatchObject({
      connectTimeout: 2_000,
      commandTimeout: 250,
    });
    expect(await optionsOf({ REDIS_CONNECT_TIMEOUT_MS: '1234' })).toMatchObject({ connectTimeout: 1_234 });
    expect(await optionsOf({})).toMatchObject({
      connectTimeout: 5_000,
      commandTimeout: 3_000,
      maxRetriesPerRequest: 3,
      enableOfflineQueue: false,
      enableAutoPipelining: false,
    });
  });

  it.each([
    'REDIS_POOL_SIZE',
    'REDIS_MIN_IDLE_CONNS',
    'REDIS_POOL_TIMEOUT',
    'REDIS_MAX_CONN_AGE',
    'REDIS_IDLE_TIMEOUT',
  ])('%s is accepted with one line that says why it does nothing', async variable => {
    await using booted = await from({ REDIS_ADDR: '127.0.0.1:1', [variable]: '4' });
    const lines = booted.logger.matching(new RegExp(variable));
    expect(lines).toHaveLength(1);
    expect(lines[0]!.msg).toMatch(/multiplexed connection/);
  });

  it('REDIS_PORT=tcp://… of Kubernetes names enableServiceLinks', async () => {
    const error = await failure(from({ REDIS_PORT: 'tcp://10.0.0.1:6379' }));
    expect(error.message).toMatch(/REDIS_PORT.*enableServiceLinks: false/);
  });

  it.each([
    [{ REDIS_URL: 'redis://a:1', REDIS_HOST: 'b' }, /REDIS_URL.*REDIS_HOST|REDIS_HOST.*REDIS_URL/],
    [{ REDIS_ADDR: 'a:1', REDIS_PORT: '2' }, /REDIS_ADDR.*REDIS_PORT|REDIS_PORT.*REDIS_ADDR/],
    [
      { REDIS_READ_TIMEOUT: '1', REDIS_WRITE_TIMEOUT: '2' },
      /REDIS_READ_TIMEOUT.*REDIS_WRITE_TIMEOUT|REDIS_WRITE_TIMEOUT.*REDIS_READ_TIMEOUT/,
    ],
    [{ REDIS_DRIVER: 'cluster', REDIS_DB: '2' }, /redis\.db.*0, as a cluster has one database/],
    [{ REDIS_CLUSTER_NODES: 'a:1,b:2' }, /redis\.driver.*"cluster", as cluster\.nodes is set/],
    [{ REDIS_DRIVER: 'sentinel' }, /redis\.sentinel\.nodes/],
    [{ REDIS_URL: 'http://a' }, /redis:\/\/ or rediss:\/\//],
    [{ REDIS_URL: 'redis://a/x' }, /database is a number/],
    [{ REDIS_COMMAND_TIMEOUT_MS: '0' }, /commandTimeoutMs.*not less than 1/],
  ])('%j is an error that says so', async (env, message) => {
    const error = await failure(from(env as Record<string, string>));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(message);
  });

  it('an address never stands in an error with its password', async () => {
    const error = await failure(from({ REDIS_URL: 'redis://u:hunter2@ho st:1/0' }));
    expect(error.message).toMatch(/special characters percent-encoded/);
    expect(error.message).not.toContain('hunter2');
  });

  it('a nested setting: cluster, sentinel, TLS, retry', async () => {
    const { assemble, candidatesOf } = await import('@core-infra/kernel');
    const tree = {
      driver: 'cluster',
      cluster: { nodes: 'a:1,b:2' },
      url: 'rediss://u:p@h',
      retry: { maxDelayMs: '2s' },
    };
    const { candidates, problems } = candidatesOf(tree, 'redis', RedisConfig, 'test');
    const { config, problems: more } = assemble('redis', RedisConfig, candidates);
    expect([...problems, ...more]).toEqual([]);
    expect(config).toMatchObject({
      cluster: { nodes: ['a:1', 'b:2'] },
      tls: { enabled: true },
      user: 'u',
      host: 'h',
      retry: { maxDelayMs: 2_000 },
    });
  });
});
