import { AppInfo, ConfigSource } from '@core-infra/kernel';
import { LoggingConfig, LogRoot, type LogThreshold } from '@core-infra/logger';
import { useLogFolder } from '../log-folder.js';

class FakeSource extends ConfigSource {
  listener: (changed: readonly string[]) => void = () => undefined;
  resolve(): never {
    throw new Error('not asked');
  }
  onChange(_section: string, listener: (changed: readonly string[]) => void): () => void {
    this.listener = listener;
    return () => undefined;
  }
}

describe('AppLogger', () => {
  const folder = useLogFolder();

  const make = (values: Partial<LoggingConfig> = {}, more: Partial<ConstructorParameters<typeof LogRoot>[0]> = {}) => {
    const config = Object.assign(
      new LoggingConfig(),
      { output: 'file', filePath: folder.file(), format: 'json' },
      values,
    );
    return folder.closing(new LogRoot({ config, ...more }));
  };
  const written = (root: LogRoot, name?: string) => {
    root.flushSync();
    return folder.lines(name);
  };

  it('writes level, time, name, message and fields', () => {
    const root = make({ level: 'trace' }, { app: { ...AppInfo.unknown, name: 'shop', instance: 'pod-1' } });
    const logger = root.named('Orders');
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const)
      logger[level](`a "${level}"`, { n: 1 });
    const lines = written(root);
    expect(lines.map(line => line.level)).toEqual(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);
    expect(lines[0]).toEqual({
      level: 'trace',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      app: 'shop',
      instance: 'pod-1',
      logger: 'Orders',
      msg: 'a "trace"',
      n: 1,
    });
    expect(Math.abs(Date.parse(lines[5]!.time) - Date.now())).toBeLessThan(60_000);
  });

  it('adds the fields of children, redacted, and an error given in place of fields', () => {
    const root = make();
    root.named('Orders').child({ order: 7, password: 'x' }).child({ line: 1 }).error('failed', new Error('boom'));
    expect(written(root)).toEqual([
      expect.objectContaining({
        order: 7,
        password: '[redacted]',
        line: 1,
        err: expect.objectContaining({ message: 'boom' }),
      }),
    ]);
  });

  it('tells whom a line serves, and follows what authentication adds', () => {
    const current = {
      requestId: 'r-1',
      correlationId: 'c-1',
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    } as { requestId: string; correlationId: string; userId?: string };
    const root = make(
      {},
      {
        context: {
          set: () => undefined,
          run: (_fields, work) => work(),
          get current() {
            return current;
          },
        },
      },
    );
    const logger = root.named('Orders');
    logger.info('before');
    current.userId = 'u"1\n';
    logger.info('after');
    const lines = written(root);
    expect(lines[0]).toMatchObject({ request_id: 'r-1', correlation_id: 'c-1', trace_id: 'a'.repeat(32) });
    expect(lines[0]).not.toHaveProperty('user_id');
    expect(lines[1]).toMatchObject({ request_id: 'r-1', user_id: 'u"1\n' });
  });

  it.each<[Partial<AppInfo>, LogThreshold]>([
    [{ environment: 'production' }, 'info'],
    [{ environment: 'development' }, 'info'],
    [{ environment: 'development', debug: true }, 'debug'],
    [{ environment: 'test' }, 'warn'],
  ])('has a default level for %j', (app, level) => {
    expect(make({}, { app: { ...AppInfo.unknown, ...app } }).levels.level).toBe(level);
  });

  it('has levels by logger, also by prefix, changed live for loggers that exist', () => {
    const source = new FakeSource();
    const config = new LoggingConfig();
    Object.assign(config, {
      output: 'file',
      filePath: folder.file(),
      format: 'json',
      level: 'warn',
      levels: { Orders: 'debug', 'Pay*': 'error' },
    });
    const live = folder.closing(new LogRoot({ config, source }));
    const loggers = ['Orders', 'Payments', 'Other'].map(name => live.named(name));
    const child = loggers[2]!.child({ a: 1 });
    const enabled = () =>
      loggers.map(logger => (['debug', 'warn', 'error'] as const).map(level => logger.isEnabled(level)));
    expect(enabled()).toEqual([
      [true, true, true],
      [false, false, true],
      [false, true, true],
    ]);
    config.levels = { Other: 'trace', Payments: 'silent' };
    config.level = 'error';
    source.listener(['levels', 'level']);
    expect(enabled()).toEqual([
      [false, false, true],
      [false, false, false],
      [true, true, true],
    ]);
    expect(child.isEnabled('trace')).toBe(true);
    expect(live.pino.level).toBe('error');
  });

  it('sends a channel to its own file, at its own level, or where all lines go', () => {
    const root = make({
      level: 'error',
      channels: {
        audit: { filePath: folder.file('audit.log') },
        security: { filePath: folder.file('security.log'), level: 'warn', also: true },
        database: { level: 'debug' },
      },
    });
    const logger = root.named('Orders').child({ order: 1 });
    logger.channel('audit').debug('deleted', { by: 'ann' });
    logger.channel('security').info('not this');
    logger.channel('security').warn('probed');
    logger.channel('database').debug('query');
    logger.channel('unknown').info('not this either');
    logger.channel('unknown').error('this');
    root.flushSync();
    expect(folder.lines('audit.log')).toEqual([
      expect.objectContaining({ channel: 'audit', logger: 'Orders', order: 1, msg: 'deleted', by: 'ann' }),
    ]);
    expect(folder.lines('security.log').map(line => line.msg)).toEqual(['probed']);
    expect(folder.lines().map(line => [line.channel, line.msg])).toEqual([
      ['security', 'probed'],
      ['database', 'query'],
      ['unknown', 'this'],
    ]);
  });

  it('has a file for errors besides', () => {
    const root = make({ errorFilePath: folder.file('error.log') });
    const logger = root.named('x');
    logger.warn('w');
    logger.error('e');
    logger.fatal('f');
    expect(folder.lines('error.log').map(line => line.msg)).toEqual(['e', 'f']);
    expect(folder.lines().map(line => line.msg)).toEqual(['w', 'e', 'f']);
  });

  it('shares the writer of one path', () => {
    const root = make({ errorFilePath: folder.file(), channels: { a: { filePath: folder.file() } } });
    root.named('x').channel('a').info('one');
    root.named('x').info('two');
    root.named('x').error('three');
    expect(written(root).map(line => line.msg)).toEqual(['one', 'two', 'three', 'three']);
  });

  it('holds a burst back per message and window, and tells how much', () => {
    let now = 0;
    const limits = { burst: 2, windowMs: 1_000, upTo: 'warn' as const, sampling: {} };
    const root = make({ limits }, { clock: { now: () => 0, monotonic: () => now } });
    const logger = root.named('Noisy');
    for (let index = 0; index < 10; index += 1) {
      logger.info('again', { index });
      logger.info('another', { index });
      logger.error('grave', { index });
    }
    now = 1_500;
    logger.info('again', { index: 10 });
    logger.child({ a: 1 }).info('again', new Error('x'));
    const lines = written(root);
    expect(lines.filter(line => line.msg === 'again').map(line => [line.index, line.suppressed])).toEqual([
      [0, undefined],
      [1, undefined],
      [10, 8],
      [undefined, undefined],
    ]);
    expect(lines.filter(line => line.msg === 'another')).toHaveLength(2);
    expect(lines.filter(line => line.msg === 'grave')).toHaveLength(10);
  });

  it('tells of a burst however long after it the next line of its kind comes', () => {
    let now = 0;
    const limits = { burst: 1, windowMs: 1_000, upTo: 'info' as const, sampling: {} };
    const logger = make({ limits }, { clock: { now: () => 0, monotonic: () => now } });
    for (let index = 0; index < 10; index += 1) logger.named('Noisy').info('again');
    for (now = 1_500; now < 20_000; now += 1_500) logger.named('Other').info('tick');
    logger.named('Noisy').info('again');
    expect(written(logger).at(-1)).toMatchObject({ logger: 'Noisy', suppressed: 9 });
  });

  it('samples by logger, and counts what it left out', () => {
    const root = make({ limits: { burst: 0, windowMs: 60_000, upTo: 'info', sampling: { Cache: 0.1, Silent: 0 } } });
    for (let index = 0; index < 5_000; index += 1) {
      root.named('Cache').info('hit');
      root.named('Silent').info('never');
    }
    root.named('Other').info('always');
    const lines = written(root);
    const hits = lines.filter(line => line.logger === 'Cache');
    expect(hits.length).toBeGreaterThan(300);
    expect(hits.length).toBeLessThan(800);
    const told = hits.reduce((sum, line) => sum + Number(line.suppressed ?? 0), 0);
    expect(hits.length + told).toBeGreaterThan(4_800);
    expect(lines.filter(line => line.logger === 'Silent')).toEqual([]);
    expect(lines.filter(line => line.logger === 'Other')).toHaveLength(1);
  });

  it('is no larger for loggers whose names are data', () => {
    const root = make();
    for (let index = 0; index < 20_000; index += 1) root.named(`tenant-${index}`).debug('x');
    expect((root as unknown as { loggers: Map<string, unknown> }).loggers.size).toBeLessThanOrEqual(5_000);
    expect(root.named('tenant-19999').isEnabled('info')).toBe(true);
  });

  it('hands out a pino logger which writes the same lines', () => {
    const root = make();
    const child = root.pino.child({ library: 'x', token: 'secret' });
    child.info({ password: 'p', a: 1 }, 'text %d', 5);
    child.debug('below');
    child.error(new Error('boom'));
    expect(written(root)).toEqual([
      expect.objectContaining({
        level: 'info',
        library: 'x',
        token: '[redacted]',
        password: '[redacted]',
        a: 1,
        msg: 'text 5',
      }),
      expect.objectContaining({ level: 'error', msg: 'boom', err: expect.objectContaining({ message: 'boom' }) }),
    ]);
  });

  it('writes text where people read', () => {
    const root = make({ format: 'text' });
    root.named('Orders').info('placed\nforged', { id: 1 });
    root.flushSync();
    expect(folder.text()).toMatch(/^\S+Z INFO {2}\[Orders\] placed\\nforged id=1\n$/);
  });
});
