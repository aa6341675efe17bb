import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Global, HttpCode, Module, Param, Post } from '@nestjs/common';
import { type ContextFields, RequestContext } from '@core-infra/kernel';
import { LoggerModule, type LoggingConfig, LogRoot } from '@core-infra/logger';
import { bootHttp, eventually, httpAdapters } from '@core-infra/testing';
import { useLogFolder } from '../log-folder.js';

/** Knows requests by their headers. */
class HeaderContext extends RequestContext {
  private readonly als = new AsyncLocalStorage<ContextFields>();
  get current() {
    return this.als.getStore();
  }
  set(): void {}
  run<T>(fields: Partial<ContextFields>, work: () => T): T {
    return this.als.run(fields as ContextFields, work);
  }
  override of(request: { headers?: Record<string, string> }): ContextFields | undefined {
    const requestId = request.headers?.['x-request-id'];
    return requestId === undefined ? undefined : { requestId, correlationId: requestId, userId: 'ann' };
  }
}

@Global()
@Module({ providers: [{ provide: RequestContext, useClass: HeaderContext }], exports: [RequestContext] })
class HeaderContextModule {}

@Controller()
class Shop {
  readonly doors = new EventEmitter();

  @Get('orders/:id')
  find(@Param('id') id: string) {
    return { id };
  }
  @Post('orders')
  @HttpCode(202)
  place() {
    return {};
  }
  @Get('fail')
  fail() {
    throw new Error('boom');
  }
  @Get(['slow', 'health/slow'])
  async slow() {
    await sleep(2_050);
    return {};
  }
  @Get('wait')
  async wait() {
    this.doors.emit('entered');
    await once(this.doors, 'leave');
    return {};
  }
  @Get(['health', 'health/live', 'healthy', 'metrics'])
  probe() {
    return {};
  }
}
@Module({ controllers: [Shop] })
class ShopModule {}

describe.each(httpAdapters)('access log on %s', adapter => {
  const folder = useLogFolder();
  const boot = (access: Partial<LoggingConfig['access']> = {}, prefix = '') =>
    bootHttp(
      adapter,
      [
        HeaderContextModule,
        LoggerModule.forRoot({
          output: 'file',
          filePath: folder.file(),
          format: 'json',
          level: 'info',
          access: { slowMs: 0, ...access },
        }),
        ShopModule,
      ],
      {
        setUp: app => void (prefix && app.setGlobalPrefix(prefix)),
      },
    );
  const lines = async (app: Awaited<ReturnType<typeof boot>>, count: number) =>
    eventually(() => {
      app.get(LogRoot).flushSync();
      const found = folder.lines().filter(line => line.logger === 'access');
      expect(found.length).toBeGreaterThanOrEqual(count);
      return found;
    });

  it('writes one line per request, with route, duration and whom it served', async () => {
    await using app = await boot();
    await app.fetch('/orders/42?token=abc', { headers: { 'x-request-id': 'r-1' } });
    const [line] = await lines(app, 1);
    expect(line).toMatchObject({
      level: 'info',
      msg: 'request',
      method: 'GET',
      route: '/orders/:id',
      path: '/orders/42',
      status: 200,
      request_id: 'r-1',
      user_id: 'ann',
    });
    expect(line!.duration_ms).toBeGreaterThan(0);
    expect(JSON.stringify(line)).not.toContain('abc');
  });

  it('has those that failed, that nobody answers, and those whose body is bad', async () => {
    await using app = await boot({}, 'api');
    await app.fetch('/api/fail');
    await app.fetch('/api/nowhere');
    await app.fetch('/api/orders', { method: 'POST', body: '{"', headers: { 'content-type': 'application/json' } });
    await app.fetch('/api/orders', { method: 'POST' });
    const found = await lines(app, 4);
    expect(found.map(line => [line.level, line.method, line.path, line.status])).toEqual([
      ['error', 'GET', '/api/fail', 500],
      ['info', 'GET', '/api/nowhere', 404],
      ['info', 'POST', '/api/orders', 400],
      ['info', 'POST', '/api/orders', 202],
    ]);
    expect(found[3]!.route).toBe('/api/orders');
    expect(found).toHaveLength(4);
  });

  it('leaves probes out, unless they are slow, and warns of what is slow', async () => {
    await using app = await boot({ slowMs: 2_000 });
    const paths = ['/health', '/health/live', '/metrics', '/health?x=1', '/slow', '/health/slow', '/healthy'];
    await Promise.all(paths.map(path => app.fetch(path)));
    const found = await lines(app, 3);
    expect(
      found.map(line => [line.path, line.level, line.slow]).sort((a, b) => String(a[0]).localeCompare(String(b[0]))),
    ).toEqual([
      ['/health/slow', 'warn', true],
      ['/healthy', 'info', undefined],
      ['/slow', 'warn', true],
    ]);
  });

  it('has those whose caller hung up', async () => {
    await using app = await boot({ slowMs: 0 });
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    await once(socket, 'connect');
    const entered = once(app.get(Shop).doors, 'entered');
    socket.write('GET /wait HTTP/1.1\r\nHost: x\r\nX-Request-Id: gone\r\n\r\n');
    await entered;
    socket.destroy();
    const [line] = await lines(app, 1);
    expect(line).toMatchObject({ path: '/wait', aborted: true, request_id: 'gone' });
    app.get(Shop).doors.emit('leave');
  });

  it('writes one line where the module is imported twice', async () => {
    const options = {
      output: 'file' as const,
      filePath: folder.file(),
      format: 'json' as const,
      level: 'info' as const,
    };
    await using app = await bootHttp(adapter, [
      LoggerModule.forRoot(options),
      LoggerModule.forRoot({ ...options, maxBackups: 9 }),
      ShopModule,
    ]);
    await app.fetch('/orders/1');
    await app.fetch('/orders/2');
    await eventually(() => {
      app.get(LogRoot).flushSync();
      expect(folder.text()).toContain('/orders/2');
    });
    await app.close();
    const paths = folder
      .lines()
      .filter(line => line.logger === 'access')
      .map(line => line.path as string);
    expect(paths).toEqual(['/orders/1', '/orders/2']);
  });

  it('mounts nothing when it is off', async () => {
    await using app = await boot({ enabled: false });
    await app.fetch('/orders/1');
    const instance = app.getHttpAdapter().getInstance() as { router?: { stack: { name: string }[] } };
    if (adapter === 'express') expect(instance.router!.stack.map(layer => layer.name)).not.toContain('accessLog');
    expect(await lines(app, 0)).toEqual([]);
  });
});
