import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get } from '@nestjs/common';
import { ConfigModule, ConfigReloader } from '@core-infra/config';
import { bootHttp, httpAdapters } from '@core-infra/testing';
import { RateLimitModule } from '../../src/index.js';
import { statuses, structuredList } from './support.js';

@Controller()
class PlainController {
  @Get()
  plain(): string {
    return 'plain';
  }
}
class PlainModule {}
const plain = { module: PlainModule, controllers: [PlainController] };

/** A folder with a file of configuration, gone at the end of its block. */
class ConfigFolder implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'core-infra-rate-limit-'));
  constructor(text: string) {
    this.write(text);
  }
  write(text: string): void {
    mkdirSync(join(this.root, 'config'), { recursive: true });
    writeFileSync(join(this.root, 'config', 'default.json'), text);
  }
  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

describe.each(httpAdapters)('the configuration on %s', adapter => {
  it('is read from RATE_LIMIT_REQUESTS and RATE_LIMIT_WINDOW in seconds', async () => {
    const config = ConfigModule.forRoot({
      env: { RATE_LIMIT_REQUESTS: '7', RATE_LIMIT_WINDOW: '30' },
      argv: [],
      watch: false,
    });
    await using app = await bootHttp(adapter, [config, RateLimitModule.forRootAsync(), plain]);
    const policy = (await app.fetch('/')).headers.get('ratelimit-policy');
    expect(structuredList(policy)).toEqual([{ value: 'default', q: 7, w: 30 }]);
  });

  it('counts as soon as it changes: the default, the lists, the proxies', async () => {
    const text = (rateLimit: object): string => JSON.stringify({ rateLimit });
    using folder = new ConfigFolder(text({ default: { limit: 1 } }));
    const config = ConfigModule.forRoot({ root: folder.root, env: {}, argv: [], watch: false });
    await using app = await bootHttp(adapter, [config, RateLimitModule.forRootAsync(), plain]);
    const change = async (rateLimit: object): Promise<void> => {
      folder.write(text(rateLimit));
      await app.get(ConfigReloader).reload();
    };
    const from = (address: string): RequestInit => ({ headers: { 'x-forwarded-for': address } });
    expect(await statuses(app, '/', 2)).toEqual([200, 429]);
    await change({ default: { limit: 3, windowMs: 3_600_000 } });
    expect(await statuses(app, '/', 4)).toEqual([200, 200, 200, 429]);
    await change({ default: { limit: 3, windowMs: 3_600_000 }, trustedProxies: ['loopback'] });
    expect(await statuses(app, '/', 1, from('192.0.2.1'))).toEqual([200]);
    await change({ default: { limit: 3, windowMs: 3_600_000 }, access: { deny: ['127.0.0.0/8'] } });
    expect(await statuses(app, '/', 1)).toEqual([403]);
    await change({ default: { limit: 3, windowMs: 3_600_000 }, access: { allow: ['127.0.0.0/8'] } });
    expect(await statuses(app, '/', 5)).toEqual([200, 200, 200, 200, 200]);
    await change({ default: { enabled: false } });
    expect((await app.fetch('/')).headers.get('ratelimit')).toBeNull();
  });
});
