import { classifyNats, NatsConfig } from '@core-infra/nats';
import { errors } from '@nats-io/transport-node';
import { parseNatsUrls } from '../src/config/address.js';
import { differences } from '../src/topology/differences.js';

describe('NATS_URL', () => {
  it.each([
    ['nats://a', { servers: ['a:4222'] }],
    ['a:4223, b', { servers: ['a:4223', 'b:4222'] }],
    ['nats://u%40x:p%2Fw@a:1,nats://b:2', { servers: ['a:1', 'b:2'], user: 'u@x', password: 'p/w' }],
    ['tls://token@[::1]:4222', { servers: ['[::1]:4222'], token: 'token', 'tls.enabled': true }],
  ])('%s', (url, fields) => expect(parseNatsUrls(url)).toEqual(fields));

  it.each([
    'http://a',
    '',
    'nats://u:hunter2@a,nats://v:hunter2@b',
    'nats://u:hunter2%zz@a',
    'nats://u:hunter2@a:99999',
  ])('refuses %s, without repeating it', url => {
    const refused = (): unknown => parseNatsUrls(url);
    expect(refused).toThrow(/^addresses/);
    expect(refused).not.toThrow(/hunter2/);
  });
});

it('settings that contradict each other are problems', () => {
  const config = Object.assign(new NatsConfig(), { user: 'u', token: 't' });
  config.tls.key = 'x';
  config.retry.maxDelayMs = 1;
  const paths = [...NatsConfig.check(config)].map(({ path }) => path);
  expect(paths).toEqual(['password', 'credentials', 'tls.cert', 'retry.maxDelayMs']);
});

it('differences: what is declared alone, sets without their order, durations in milliseconds', () => {
  const existing = { subjects: ['b', 'a'], max_age: 5e9, storage: 'file', metadata: { own: '1', _nats: 'x' } };
  expect(differences({ subjects: ['a', 'b'], metadata: { own: '1' }, allow_direct: false }, existing)).toEqual([]);
  expect(differences({ subjects: ['a'], max_age: 1e9, max_msgs: 3, backoff: [1e9, 2e9] }, existing)).toEqual([
    'subjects: ["a"] is declared, it has ["b","a"]',
    'max_age: 1000 ms is declared, it has 5000 ms',
    'max_msgs: 3 is declared, it has none',
    'backoff: 1000 ms, 2000 ms is declared, it has none',
  ]);
});

it('tells what is worth trying again', () => {
  expect(classifyNats(new errors.ConnectionError('connection refused'))).toEqual({
    fault: 'dependency',
    retryable: true,
  });
  expect(classifyNats(new errors.AuthorizationError('no'))).toEqual({ fault: 'server', retryable: false });
  expect(classifyNats(new Error('something else'))).toBeUndefined();
  expect(classifyNats('text')).toBeUndefined();
});
