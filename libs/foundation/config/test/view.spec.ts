import { inspect, isDeepStrictEqual } from 'node:util';
import { ConfigModule } from '@core-infra/config';
import { PoolConfig, StoreConfig } from './helpers/sections.js';
import { Workspace } from './helpers/workspace.js';

const feature = ConfigModule.forFeature(StoreConfig);

async function view(env: NodeJS.ProcessEnv = {}): Promise<StoreConfig> {
  using space = new Workspace();
  await using app = await space.boot({ env }, feature);
  return app.get(StoreConfig);
}

describe('an injected section', () => {
  it('is an instance of its class, and its groups of theirs', async () => {
    const config = await view();
    expect(config).toBeInstanceOf(StoreConfig);
    expect(config.pool).toBeInstanceOf(PoolConfig);
  });

  it('works with spread, entries, JSON and comparison as the plain instance does', async () => {
    const config = await view({ STORE_TIMEOUT_MS: '5' });
    expect(Object.entries({ ...config.pool })).toEqual([
      ['max', 10],
      ['idleTimeoutMs', 60_000],
    ]);
    expect(JSON.parse(JSON.stringify(config))).toMatchObject({ timeoutMs: 5, pool: { max: 10 } });
    expect({ ...config }).toMatchObject({ timeoutMs: 5, host: 'localhost' });
    expect(isDeepStrictEqual({ ...config }, { ...(await view({ STORE_TIMEOUT_MS: '5' })) })).toBe(true);
    expect(isDeepStrictEqual({ ...config }, { ...(await view({ STORE_TIMEOUT_MS: '6' })) })).toBe(false);
  });

  it('refuses every write: live and other fields, groups, lists, records, new keys', async () => {
    const config = (await view()) as unknown as Record<string, any>;
    const writes: (() => void)[] = [
      () => (config.timeoutMs = 1),
      () => (config.host = 'x'),
      () => (config.pool = {}),
      () => (config.pool.max = 1),
      () => (config.pool.idleTimeoutMs = 1),
      () => config.tags.push('x'),
      () => (config.levels.A = 'x'),
      () => (config.unheard = 1),
      () => delete config.host,
    ];
    for (const write of writes) expect(write).toThrow(TypeError);
  });

  it('shows no secret in inspection and JSON, and gives it to who reads it', async () => {
    const config = await view({ STORE_PASSWORD: 'hunter2' });
    expect(config.password).toBe('hunter2');
    expect({ ...config }.password).toBe('hunter2');
    expect(inspect(config)).toContain("password: '****'");
    expect(inspect(config)).toContain('timeoutMs: 1000');
    expect(inspect({ deep: { config } }, { depth: 5 })).not.toContain('hunter2');
    expect(JSON.stringify({ config })).not.toContain('hunter2');
  });
});
