import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigModule } from '@core-infra/config';
import { RedisModule } from '@core-infra/redis';
import { bootInfra, eventually } from '@core-infra/testing';
import { getRateLimiterToken, RateLimitConfig, RateLimiter, RateLimitModule } from '@core-infra/rate-limit';

const rule = { name: 'one', windows: [{ limit: 1, windowMs: 3_600_000 }] };

describe('the section rateLimit', () => {
  it('has 100 in 60 s by default', () => {
    expect(new RateLimitConfig()).toMatchObject({
      driver: 'memory',
      startup: 'background',
      critical: false,
      default: { limit: 100, windowMs: 60_000 },
      onFailure: 'local',
      maxCallers: 100_000,
      timeoutMs: 50,
      rememberMs: 5_000,
      keyPrefix: 'rate-limit',
    });
  });

  it('reads RATE_LIMIT_REQUESTS, and RATE_LIMIT_WINDOW in seconds', async () => {
    const env = {
      RATE_LIMIT_REQUESTS: '20',
      RATE_LIMIT_WINDOW: '5',
      RATE_LIMIT_ON_FAILURE: 'open',
      RATE_LIMIT_MAX_CALLERS: '500',
    };
    const config = ConfigModule.forRoot({ env, argv: [], watch: false, environment: 'test' });
    await using app = await bootInfra(config, RateLimitModule.forRootAsync());
    expect(app.get(RateLimitConfig)).toMatchObject({
      default: { limit: 20, windowMs: 5_000 },
      onFailure: 'open',
      maxCallers: 500,
    });
  });

  it('says which setting cannot be', async () => {
    const config = ConfigModule.forRoot({
      env: { RATE_LIMIT_REQUESTS: '0' },
      argv: [],
      watch: false,
      environment: 'test',
    });
    await expect(bootInfra(config, RateLimitModule.forRootAsync())).rejects.toThrow(
      /rateLimit\.default\.limit.*RATE_LIMIT_REQUESTS.*not less than 1/s,
    );
  });

  it('follows its file: the failure policy', async () => {
    const root = await mkdtemp(join(tmpdir(), 'limit-'));
    try {
      await mkdir(join(root, 'config'));
      const write = (text: string) => writeFile(join(root, 'config/default.yaml'), text);
      await write('rateLimit: { driver: redis, onFailure: closed }');
      await using app = await bootInfra(
        ConfigModule.forRoot({ root, env: {}, argv: [], watch: true, environment: 'test' }),
        RedisModule.forRoot({ url: 'redis://127.0.0.1:1' }),
        RateLimitModule.forRootAsync(),
      );
      const decidedBy = async () => (await app.get(RateLimiter).consume(rule, 'ann')).by;
      expect(await decidedBy()).toBe('closed');
      await write('rateLimit: { driver: redis, onFailure: open }');
      await eventually(async () => expect(await decidedBy()).toBe('open'));
    } finally {
      await rm(root, { recursive: true });
    }
  });

  it('asks for Redis where it is wanted and nobody provides it', async () => {
    await expect(bootInfra(RateLimitModule.forRoot({ driver: 'redis' }))).rejects.toMatchObject({
      code: 'INFRA_MISSING_UPSTREAM',
    });
  });

  it('has limiters by name, each with its own count', async () => {
    await using app = await bootInfra(
      RateLimitModule.forRoot(),
      RateLimitModule.forRoot({ name: 'partners', onFailure: 'open' }),
    );
    await app.get(RateLimiter).consume(rule, 'ann');
    const partners = app.get<RateLimiter>(getRateLimiterToken('partners'));
    expect(await partners.consume(rule, 'ann')).toMatchObject({ allowed: true });
    expect(await partners.consume(rule, 'ann')).toMatchObject({ allowed: false });
  });
});
