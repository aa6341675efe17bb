import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppLogger, InjectLogger, LoggerModule, NestLogger } from '@core-infra/logger';

@Injectable()
class OrdersService {
  constructor(readonly logger: AppLogger) {}
}

@Injectable()
class Renamed {
  @InjectLogger('other')
  readonly logger!: AppLogger;
  readonly nest = new Logger('Legacy');
}

describe('LoggerModule', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'logger-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const boot = async (options: Parameters<typeof LoggerModule.forRoot>[0] = {}) => {
    @Module({
      imports: [
        LoggerModule.forRoot({
          output: 'file',
          filePath: join(folder, 'app.log'),
          format: 'json',
          level: 'trace',
          ...options,
        }),
      ],
      providers: [OrdersService, Renamed],
    })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { abortOnError: false, bufferLogs: true });
    app.useLogger(app.get(NestLogger));
    return app;
  };
  const lines = async (name = 'app.log') =>
    (await readFile(join(folder, name), 'utf8'))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, any>);

  it('writes', async () => {
    const app = await boot();
    app.get(OrdersService).logger.info('order placed', { orderId: 7, password: 'x' });
    app.get(Renamed).logger.child({ a: 1 }).error('bad', new Error('boom'));
    app.get(Renamed).nest.log('text', { b: 2 });
    app.get(Renamed).nest.error('text', new Error('x').stack);
    await app.close();
    expect(await lines()).toContainEqual(
      expect.objectContaining({ logger: 'OrdersService', orderId: 7, password: '[redacted]' }),
    );
  });
});
