import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { LoggerModule } from '@core-infra/logger';
import { InjectPinoLogger, Logger, PinoLogger } from 'nestjs-pino';
import { useLogFolder } from '../log-folder.js';

@Injectable()
class Legacy {
  constructor(
    @InjectPinoLogger('Legacy') readonly named: PinoLogger,
    readonly plain: PinoLogger,
  ) {}
}

describe('code that was written for nestjs-pino', () => {
  const folder = useLogFolder();

  const boot = (file: string) => {
    @Module({
      imports: [LoggerModule.forRoot({ output: 'file', filePath: file, format: 'json', level: 'info' })],
      providers: [Legacy, Logger],
    })
    class AppModule {}
    return NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  };

  it('goes on, through the same destinations and redaction', async () => {
    const app = await boot(folder.file());
    app.get(Legacy).named.info({ orderId: 7, password: 'x' }, 'placed %s', 'today');
    app.get(Legacy).plain.warn('plain');
    app.get(Logger).log('through its LoggerService', 'Somewhere');
    await app.close();
    expect(folder.lines()).toEqual([
      expect.objectContaining({
        level: 'info',
        context: 'Legacy',
        msg: 'placed today',
        orderId: 7,
        password: '[redacted]',
      }),
      expect.objectContaining({ level: 'warn', msg: 'plain' }),
      expect.objectContaining({ level: 'info', context: 'Somewhere', msg: 'through its LoggerService' }),
    ]);
  });

  it('writes to its own app when two are in one process', async () => {
    const [one, two] = [folder.file('one.log'), folder.file('two.log')];
    const apps = [await boot(one), await boot(two)];
    apps[0]!.get(Legacy).named.info('one');
    apps[1]!.get(Legacy).named.info('two');
    for (const app of apps) await app.close();
    expect([folder.lines('one.log'), folder.lines('two.log')]).toEqual([
      [expect.objectContaining({ msg: 'one' })],
      [expect.objectContaining({ msg: 'two' })],
    ]);
  });
});
