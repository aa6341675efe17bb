import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { LoggerModule, LogRoot } from '@core-infra/logger';
import { InjectPinoLogger, LoggerModule as NestjsPinoModule, PinoLogger } from 'nestjs-pino';
import { useLogFolder } from '../log-folder.js';

@Injectable()
class Legacy {
  constructor(@InjectPinoLogger('Legacy') readonly logger: PinoLogger) {}
}

describe('code that was written for nestjs-pino', () => {
  const folder = useLogFolder();

  it('goes on, through the same destinations and redaction', async () => {
    @Module({
      imports: [
        LoggerModule.forRoot({ output: 'file', filePath: folder.file(), format: 'json', level: 'info' }),
        NestjsPinoModule.forRootAsync({
          inject: [LogRoot],
          useFactory: (root: LogRoot) => ({ pinoHttp: { logger: root.pino }, forRoutes: [] }),
        }),
      ],
      providers: [Legacy],
    })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    app.get(Legacy).logger.info({ orderId: 7, password: 'x' }, 'placed %s', 'today');
    await app.close();
    expect(folder.lines()).toEqual([
      expect.objectContaining({
        level: 'info',
        context: 'Legacy',
        msg: 'placed today',
        orderId: 7,
        password: '[redacted]',
      }),
    ]);
  });
});
