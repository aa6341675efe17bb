import 'reflect-metadata';
import { ConfigError } from '@core-infra/kernel';
import { HealthConfig, HealthModule, HealthService } from '@core-infra/health';
import { bootHttp, bootInfra, eventually, httpAdapters } from '@core-infra/testing';
import { concern, get, hang } from './fixtures.js';

const tiny = 0.000_001;

describe('built-in checks', () => {
  it('exist only where a threshold is set', async () => {
    await using app = await bootInfra(HealthModule.forRoot());
    expect(app.get(HealthService).names()).toEqual([]);
  });

  it('are up below their thresholds, with what they measured', async () => {
    await using app = await bootInfra(
      HealthModule.forRoot({
        eventLoop: { downMs: 60_000 },
        heap: { downRatio: 1 },
        rss: { downBytes: Number.MAX_SAFE_INTEGER },
        cpu: { downRatio: 1_000 },
        disk: { downRatio: 1, path: '/' },
      }),
    );
    const { status, checks } = await app.get(HealthService).check();
    expect(status).toBe('ok');
    expect(checks).toMatchObject({
      'event-loop': { details: { p99Ms: expect.any(Number), maxMs: expect.any(Number) } },
      heap: { details: { usedBytes: expect.any(Number), limitBytes: expect.any(Number) } },
      rss: { details: { rssBytes: expect.any(Number) } },
      cpu: { details: { coreRatio: expect.any(Number) } },
      disk: { details: { path: '/', freeBytes: expect.any(Number), totalBytes: expect.any(Number) } },
    });
  });

  it('are degraded from one threshold and down from the other', async () => {
    await using app = await bootInfra(
      HealthModule.forRoot({
        cacheMs: 0,
        eventLoop: { degradedMs: 50 },
        heap: { degradedRatio: tiny },
        rss: { downBytes: 1 },
        cpu: { degradedRatio: tiny },
        disk: { degradedRatio: 0, downRatio: 1 },
      }),
    );
    const health = app.get(HealthService);
    const { status, checks } = await health.check();
    expect(status).toBe('error');
    expect(checks).toMatchObject({
      heap: { status: 'degraded', reason: expect.stringMatching(/the heap is \d.* %, at or above 0.0 %/) },
      rss: { status: 'down', lastError: { code: 'INFRA_THRESHOLD_EXCEEDED' } },
      cpu: { status: 'degraded' },
      disk: { status: 'degraded' },
    });
    await eventually(async () => {
      const until = performance.now() + 200;
      while (performance.now() < until); // holds the loop
      await new Promise(resolve => setTimeout(resolve, 30)); // the sampler's own timer comes after
      expect((await health.check('event-loop')).status).toBe('degraded');
    });
  });
});

describe.each(httpAdapters)('liveness on %s', adapter => {
  it('asks what it is told to, and never a server', async () => {
    const store = concern('store', { check: hang });
    const health = HealthModule.forRoot({ liveness: ['rss', 'heap'], rss: { downBytes: 1 }, heap: { downRatio: 1 } });
    await using app = await bootHttp(adapter, [health, store.forRoot()]);
    expect(await get(app, '/health/live')).toMatchObject({
      status: 503,
      body: { status: 'error', checks: { rss: { status: 'down' }, heap: { status: 'up' } } },
    });
  });
});

describe('HealthConfig', () => {
  it.each([
    [{ networks: ['10.0.0.0/33'] }, /networks/],
    [{ networks: ['example.org'] }, /networks/],
    [{ liveness: ['heap' as const] }, /down threshold/],
    [{ liveness: ['disk' as never] }, /liveness/],
    [{ path: 'health' }, /path/],
    [{ path: '/:x' }, /path/],
    [{ token: 'short' }, /token/],
    [{ failureThreshold: 0 }, /failureThreshold/],
  ])('refuses %j', async (given, problem) => {
    const boot = bootInfra(HealthModule.forRoot(given));
    await expect(boot).rejects.toThrow(ConfigError);
    await expect(boot).rejects.toThrow(problem);
  });

  it('has defaults that hide details', () => {
    const config = new HealthConfig();
    expect(config.token).toBeUndefined();
    expect(config).toMatchObject({ networks: [], guarded: false, path: '/health' });
  });
});
