import { Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppLogger, InjectLogger, LoggerModule, type LoggingConfig, LogRoot, NestLogger } from '@core-infra/logger';
import { useLogFolder } from '../log-folder.js';

@Injectable()
class OrdersService {
  readonly legacy = new Logger(OrdersService.name);
  constructor(readonly logger: AppLogger) {}
}
@Injectable()
class Derived extends OrdersService {}
@Injectable()
class Renamed {
  constructor(@InjectLogger('payments') readonly logger: AppLogger) {}
}
@Injectable()
class ByProperty {
  @InjectLogger() readonly logger!: AppLogger;
}
const byFactory = { provide: 'factory', inject: [AppLogger], useFactory: (logger: AppLogger) => ({ logger }) };

describe('LoggerModule', () => {
  const folder = useLogFolder();

  const boot = async (options: Partial<LoggingConfig> = {}) => {
    @Module({
      imports: [
        LoggerModule.forRootAsync({
          useFactory: async () => ({
            output: 'file' as const,
            filePath: folder.file(),
            format: 'json' as const,
            level: 'trace' as const,
            ...options,
          }),
        }),
      ],
      providers: [OrdersService, Derived, Renamed, ByProperty, byFactory],
    })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { abortOnError: false, bufferLogs: true });
    app.useLogger(app.get(NestLogger));
    const close = app.close.bind(app);
    return Object.assign(app, {
      [Symbol.asyncDispose]: close,
      lines: () => (app.get(NestLogger).flushSync(), folder.lines()),
    });
  };
  afterEach(() => Logger.overrideLogger(false));

  it('injects a logger named after the class that asks', async () => {
    await using app = await boot();
    const nameOf = (token: unknown) => (app.get(token as never) as { logger: AppLogger }).logger.name;
    expect([OrdersService, Derived, Renamed, ByProperty, 'factory'].map(nameOf)).toEqual([
      'OrdersService',
      'Derived',
      'payments',
      'ByProperty',
      'app',
    ]);
    expect(app.get(OrdersService).logger).not.toBe(app.get(Derived).logger);
  });

  it('refuses two names in one class', () => {
    expect(() => {
      class Two {
        constructor(
          @InjectLogger('a') readonly a: AppLogger,
          @InjectLogger('b') readonly b: AppLogger,
        ) {}
      }
      return Two;
    }).toThrow(expect.objectContaining({ code: 'INFRA_LOGGER_NAME', owner: 'Two' }));
  });

  it("takes Nest's own lines, in every form that Nest's Logger has", async () => {
    await using app = await boot();
    const { legacy } = app.get(OrdersService);
    const error = new TypeError('boom');
    legacy.log('plain');
    legacy.log('with fields', { orderId: 7, password: 'x' });
    legacy.log({ orderId: 8 });
    legacy.log({ msg: 'as pino has it', orderId: 9 });
    legacy.log({ message: 'as an error has it', err: error });
    legacy.log('text', { message: 'a field' });
    legacy.verbose('wordy');
    legacy.debug('two', 'texts');
    legacy.warn('error inside', { err: error });
    legacy.error(error);
    legacy.error('with stack', error.stack);
    legacy.error('with error', error);
    legacy.error('stack and fields', { a: 1 }, error.stack);
    legacy.fatal('grave');
    legacy.log(undefined);
    legacy.log([1, 2]);
    legacy.log(42);
    new Logger().log('of nobody');
    Logger.log('static', 'Static');
    const lines = app.lines();
    const own = lines.filter(line => line.logger === 'OrdersService');
    const err = expect.objectContaining({ type: 'TypeError', message: 'boom', stack: expect.stringContaining('at ') });
    expect(own).toMatchObject([
      { level: 'info', msg: 'plain' },
      { msg: 'with fields', orderId: 7, password: '[redacted]' },
      { msg: '', orderId: 8 },
      { msg: 'as pino has it', orderId: 9 },
      { msg: 'as an error has it', err },
      { msg: 'text', message: 'a field' },
      { level: 'trace', msg: 'wordy' },
      { level: 'debug', msg: 'two texts' },
      { level: 'warn', msg: 'error inside', err },
      { level: 'error', msg: 'boom', err },
      { level: 'error', msg: 'with stack', err },
      { level: 'error', msg: 'with error', err },
      { level: 'error', msg: 'stack and fields', a: 1, err },
      { level: 'fatal', msg: 'grave' },
      { level: 'info', msg: '' },
      { items: [1, 2] },
      { msg: '42' },
    ]);
    expect(own.filter(line => 'msg_' in line)).toEqual([]);
    expect(lines).toContainEqual(expect.objectContaining({ logger: 'app', msg: 'of nobody' }));
    expect(lines).toContainEqual(expect.objectContaining({ logger: 'Static', msg: 'static' }));
    expect(lines[0]).toMatchObject({ logger: 'NestFactory', msg: expect.stringContaining('Starting') });
  });

  it('has levels by Nest context too', async () => {
    await using app = await boot({ level: 'info', levels: { OrdersService: 'error', InstanceLoader: 'silent' } });
    app.get(OrdersService).legacy.warn('not this');
    app.get(OrdersService).legacy.error('this');
    const lines = app.lines();
    expect(lines.filter(line => line.logger === 'OrdersService').map(line => line.msg)).toEqual(['this']);
    expect(lines.filter(line => line.logger === 'InstanceLoader')).toEqual([]);
  });

  it.each<[object, string]>([
    [{ level: 'loud' }, 'logging.level'],
    [{ levels: { A: 'loud' } }, 'logging.levels'],
    [{ channels: { audit: { file: 'x' } } }, 'logging.channels'],
    [{ channels: { audit: { level: 'loud' } } }, 'logging.channels'],
    [{ limits: { sampling: { A: 2 } } }, 'logging.limits.sampling'],
    [{ output: 'paper' }, 'logging.output'],
    [{ flushIntervalMs: 0 }, 'logging.flushIntervalMs'],
  ])('refuses %j', async (options, key) => {
    await expect(boot(options as never)).rejects.toMatchObject({
      code: 'INFRA_CONFIG',
      problems: [expect.objectContaining({ key })],
    });
  });

  it('leaves nothing on the process behind', async () => {
    const count = () =>
      ['exit', 'SIGTERM', 'SIGINT', 'SIGHUP', 'uncaughtExceptionMonitor'].map(event => process.listenerCount(event));
    const before = count();
    const app = await boot();
    expect(count()).toEqual(before.map(number => number + 1));
    await app.close();
    expect(count()).toEqual(before);
  });

  it('opens no file when there is none to be written', async () => {
    await using app = await boot({ output: 'stdout', level: 'silent' });
    app.get(LogRoot).named('OrdersService').fatal('written nowhere');
    await app.get(LogRoot).flush();
    expect(() => folder.text()).toThrow(/ENOENT/);
  });

  it('two apps of one process have destinations of their own', async () => {
    await using one = await boot();
    await using two = await boot({ filePath: folder.file('two.log') });
    one.get(OrdersService).logger.info('one');
    two.get(OrdersService).logger.info('two');
    one.get(LogRoot).flushSync();
    two.get(LogRoot).flushSync();
    expect(
      folder
        .lines()
        .filter(line => line.logger === 'OrdersService')
        .map(line => line.msg),
    ).toEqual(['one']);
    expect(
      folder
        .lines('two.log')
        .filter(line => line.logger === 'OrdersService')
        .map(line => line.msg),
    ).toEqual(['two']);
  });
});
