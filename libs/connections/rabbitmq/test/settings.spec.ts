import { classifyRabbitmq, RabbitmqConfig } from '@core-infra/rabbitmq';
import { parseRabbitmqUrl } from '../src/config/address.js';
import { backoff } from '../src/config/retry.config.js';

describe('RABBITMQ_URL', () => {
  it.each([
    ['amqp://localhost', { host: 'localhost' }],
    ['amqp://a:5673/', { host: 'a', port: 5673 }],
    [
      'amqps://u%40x:p%2Fw@[::1]/%2F',
      { user: 'u@x', password: 'p/w', host: '::1', port: 5671, vhost: '/', 'tls.enabled': true },
    ],
    [
      'amqp://u:p@a:1/team%2Fa?heartbeat=30',
      { user: 'u', password: 'p', host: 'a', port: 1, vhost: 'team/a', heartbeatMs: 30_000 },
    ],
  ])('%s', (url, fields) => expect(parseRabbitmqUrl(url)).toEqual(fields));

  it.each([
    'http://a',
    'amqp://u:hunter2@a?frameMax=1',
    'amqp://u:hunter2@a:99999',
    'amqp://u:hunter2@a/%zz',
    'amqp://a?heartbeat=x',
  ])('refuses %s, without repeating it', url => {
    const refused = (): unknown => parseRabbitmqUrl(url);
    expect(refused).toThrow(/^an address/);
    expect(refused).not.toThrow(/hunter2/);
  });
});

it('a boot does not wait for the broker, and readiness does not depend on it', () => {
  expect(new RabbitmqConfig()).toMatchObject({ startup: 'background', critical: false });
});

it('settings that contradict each other are problems', () => {
  const config = Object.assign(new RabbitmqConfig(), { heartbeatMs: 1_500 });
  config.tls.cert = 'x';
  config.retry.maxDelayMs = 1;
  expect([...RabbitmqConfig.check(config)].map(({ path }) => path)).toEqual([
    'heartbeatMs',
    'tls.key',
    'retry.maxDelayMs',
  ]);
});

it('pauses double up to the longest, less their jitter', () => {
  const pause = backoff({ firstDelayMs: 100, maxDelayMs: 1_000, jitterRatio: 0 });
  expect([1, 2, 3, 4, 5, 50].map(pause)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});

it('tells what is worth trying again', () => {
  const reply = (code: number) => Object.assign(new Error('Operation failed'), { code });
  expect(classifyRabbitmq(new Error('Heartbeat timeout'))).toEqual({ fault: 'dependency', retryable: true });
  expect(classifyRabbitmq(reply(320))).toEqual({ fault: 'dependency', retryable: true });
  expect(classifyRabbitmq(reply(404))).toEqual({ fault: 'server', retryable: false });
  expect(classifyRabbitmq(new Error('something else'))).toBeUndefined();
  expect(classifyRabbitmq('text')).toBeUndefined();
});
