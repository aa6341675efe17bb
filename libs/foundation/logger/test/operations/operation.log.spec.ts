import { setTimeout as sleep } from 'node:timers/promises';
import { type Operation, operations } from '@core-infra/kernel';
import { LoggerModule, type LoggingConfig, LogRoot } from '@core-infra/logger';
import { bootInfra } from '@core-infra/testing';
import { useLogFolder } from '../log-folder.js';

const call = (component: string, operation: string): Operation => ({
  component,
  connection: component,
  operation,
  resource: 'orders',
});

describe('operation log', () => {
  const folder = useLogFolder();
  const boot = async (options: Partial<LoggingConfig>) => {
    const app = await bootInfra(
      LoggerModule.forRoot({ output: 'file', filePath: folder.file(), format: 'json', level: 'debug', ...options }),
    );
    return Object.assign(app, {
      lines: () => (app.get(LogRoot).flushSync(), folder.lines().filter(line => line.logger === 'operations')),
    });
  };

  it('writes each call of the components that are asked for, at their levels', async () => {
    await using app = await boot({ operations: { database: 'info', redis: 'debug', kafka: 'trace' } });
    await operations('database').tracePromise(() => sleep(5, 'rows'), call('database', 'SELECT'));
    operations('redis').traceSync(() => 1, call('redis', 'get'));
    operations('kafka').traceSync(() => 1, call('kafka', 'publish'));
    operations('nats').traceSync(() => 1, call('nats', 'publish'));
    const failed = Object.assign(new Error('no'), { code: '23505' });
    await operations('database')
      .tracePromise(() => Promise.reject(failed), call('database', 'INSERT'))
      .catch(() => undefined);
    expect(() =>
      operations('redis').traceSync(
        () => {
          throw new TypeError('no');
        },
        call('redis', 'set'),
      ),
    ).toThrow();
    expect(app.lines()).toMatchObject([
      {
        level: 'info',
        component: 'database',
        operation: 'SELECT',
        resource: 'orders',
        duration_ms: expect.any(Number),
      },
      { level: 'debug', component: 'redis', operation: 'get' },
      { level: 'info', operation: 'INSERT', error_code: '23505' },
      { level: 'debug', operation: 'set', error_code: 'TypeError' },
    ]);
    expect(app.lines()[0]!.duration_ms).toBeGreaterThan(3);
    expect(app.lines()[0]).not.toHaveProperty('error_code');
  });

  it('takes all components by *, and one of them at another level', async () => {
    await using app = await boot({ operations: { '*': 'info', redis: 'silent' } });
    operations('database').traceSync(() => 1, call('database', 'SELECT'));
    operations('redis').traceSync(() => 1, call('redis', 'get'));
    expect(app.lines().map(line => line.component)).toEqual(['database']);
  });

  it('leaves quick calls out, but no failed one', async () => {
    await using app = await boot({ operations: { database: 'info' }, operationThresholdMs: 10_000 });
    operations('database').traceSync(() => 1, call('database', 'SELECT'));
    await operations('database')
      .tracePromise(() => Promise.reject(new Error('x')), call('database', 'UPDATE'))
      .catch(() => undefined);
    expect(app.lines().map(line => line.operation)).toEqual(['UPDATE']);
  });

  it('subscribes to nothing when it is off, and no longer after the end', async () => {
    await using off = await boot({});
    expect(operations('database').hasSubscribers).toBe(false);
    const on = await boot({ operations: { database: 'info' } });
    expect(operations('database').hasSubscribers).toBe(true);
    await on.close();
    expect(operations('database').hasSubscribers).toBe(false);
    void off;
  });
});
