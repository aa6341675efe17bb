import { ConfigModule } from '@core-infra/config';
import { StoreConfig } from './helpers/sections.js';
import { Workspace } from './helpers/workspace.js';

describe('precedence', () => {
  it('goes from class defaults over files, .env, environment and flags to code', async () => {
    using space = new Workspace({
      'config/default.yaml': 'store: { host: default-file, port: 1, mode: fast, timeoutMs: 5s, echo: true }',
      'config/production.json': '{ "store": { "port": 2, "timeoutMs": 6000, "echo": false, "mode": "safe" } }',
      '.env': 'STORE_TIMEOUT_MS=7s\nSTORE_MODE=fast\nSTORE_TAGS=a,b',
      '.env.production': 'STORE_MODE=safe\nSTORE_CACHE_BYTES=2KB',
    });
    await using app = await space.boot(
      {
        env: { NODE_ENV: 'prod', STORE_CACHE_BYTES: '3KB', STORE_TAGS: 'c' },
        argv: ['--store.tags', 'd,e', '--store.pool.max=7'],
      },
      ConfigModule.forFeature(StoreConfig),
    );
    expect(JSON.parse(JSON.stringify(app.get(StoreConfig)))).toEqual({
      host: 'default-file',
      port: 2,
      mode: 'safe',
      echo: false,
      timeoutMs: 7_000,
      cacheBytes: 3 * 1024,
      tags: ['d', 'e'],
      levels: {},
      pool: { max: 7, idleTimeoutMs: 60_000 },
    });
  });
});
