import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { bootHttp, bootInfra, httpAdapters } from '@core-infra/testing';

@Injectable()
class Probe {
  closed = 0;

  onApplicationShutdown(): void {
    this.closed++;
  }
}

@Controller('greeting')
class GreetingController {
  @Get()
  greet(): { hello: string } {
    return { hello: 'world' };
  }
}

@Module({ providers: [Probe], exports: [Probe], controllers: [GreetingController] })
class ProbeModule {}

@Module({})
class FailingModule {
  static register() {
    return {
      module: FailingModule,
      providers: [{ provide: 'x', useFactory: () => Promise.reject(new RangeError('no')) }],
    };
  }
}

describe('bootInfra', () => {
  it('boots modules as an app would, and closes once, at the end of the block', async () => {
    let probe: Probe;
    {
      await using app = await bootInfra(ProbeModule, { module: class Other {} });
      probe = app.get(Probe);
      expect(probe.closed).toBe(0);
      await app.close();
    }
    expect(probe.closed).toBe(1);
  });

  it('closes an app that nobody closed', async () => {
    let probe: Probe;
    {
      await using app = await bootInfra(ProbeModule);
      probe = app.get(Probe);
    }
    expect(probe.closed).toBe(1);
  });

  it('rejects with the error of the boot itself', async () => {
    await expect(bootInfra(FailingModule.register())).rejects.toThrow(RangeError);
  });
});

describe.each(httpAdapters)('bootHttp on %s', adapter => {
  it('listens on a free port of loopback and answers', async () => {
    await using app = await bootHttp(adapter, ProbeModule, { setUp: nest => void nest.setGlobalPrefix('api') });
    expect(app.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const answer = await app.fetch('/api/greeting');
    expect([answer.status, await answer.json()]).toEqual([200, { hello: 'world' }]);
    expect(app.getHttpAdapter().getType()).toBe(adapter);
  });

  it('is gone at the end of the block', async () => {
    let url: string;
    {
      await using app = await bootHttp(adapter, [ProbeModule]);
      url = app.url;
      expect((await app.fetch('/greeting', { headers: { connection: 'close' } })).status).toBe(200);
    }
    await expect(fetch(`${url}/greeting`)).rejects.toThrow('fetch failed');
  });
});
