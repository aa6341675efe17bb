import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineService, postgres, redis, runChild, startDevServices } from '@core-infra/testing';

const project = mkdtempSync(join(tmpdir(), 'core-infra-project-'));
chmodSync(project, 0o755);
afterAll(() => rmSync(project, { recursive: true, force: true }));

const nowhere = defineService({
  name: 'nowhere',
  env: ['NOWHERE_URL'],
  url: () => '',
  ready: () => Promise.resolve(),
  missing: 'Run `npm install --save-dev nowhere`',
});

it('startDevServices lists what was found, what is missing, and what to run an app with', async () => {
  const url = 'postgres://me:hidden@db.example/orders';
  await using services = await startDevServices({ project, services: [postgres, nowhere], env: { DATABASE_URL: url } });
  expect(services.env).toEqual({ DATABASE_URL: url });
  expect(services.missing.map(({ fix }) => fix)).toEqual(['Run `npm install --save-dev nowhere`, or set NOWHERE_URL.']);
  expect(services.table()).toBe(
    [
      'SERVICE    RESOLVED BY   ADDRESS',
      'postgres   environment   db.example/orders',
      'nowhere    missing       -',
    ].join('\n'),
  );
});

describe('what an app can do without', () => {
  const missing = 'Run `npm install --save-dev spare`';
  const spare = defineService({ ...nowhere, name: 'spare', env: ['SPARE_URL'], optional: true, missing });
  const rows = async (optional?: 'environment' | 'start', env = {}) => {
    await using services = await startDevServices({ project, services: [spare], env, ...(optional && { optional }) });
    return { table: services.table().split('\n').slice(1), env: services.env, missing: services.missing };
  };

  it.each(['environment', 'start'] as const)('is not missed: %s', async optional => {
    expect(await rows(optional)).toEqual({
      table: ['spare     not used      set SPARE_URL to use one'],
      env: {},
      missing: [],
    });
  });

  it('is taken from the environment', async () => {
    const { table, env } = await rows(undefined, { SPARE_URL: 'spare://me:hidden@spare.example:1' });
    expect(table).toEqual(['spare     environment   spare.example:1']);
    expect(env).toEqual({ SPARE_URL: 'spare://me:hidden@spare.example:1' });
  });

  it('is Redis, whose REDIS_ADDR is an address without a scheme', async () => {
    const off = await startDevServices({ project, services: [redis], env: {} });
    expect(off.table()).toContain('redis     not used      set REDIS_URL to use one');
    const on = await startDevServices({ project, services: [redis], env: { REDIS_ADDR: 'cache:6379' } });
    expect(on.env).toEqual({ REDIS_ADDR: 'redis://cache:6379' });
    expect(on.table()).toContain('redis     environment   cache:6379');
  });
});

it.each(['SIGINT', 'SIGTERM'] as const)('npm run dev:services runs until %s and stops its servers', async signal => {
  const main = join(__dirname, '../../src/dev-services/main.ts');
  const child = runChild(main, {
    cwd: project,
    env: { POSTGRES_DSN: undefined, DATABASE_URL: undefined, REDIS_URL: undefined, REDIS_ADDR: undefined },
  });
  await child.waitForLine(/^postgres +embedded +127\.0\.0\.1:\d+\/postgres$/);
  const [, url = ''] = await child.waitForLine(/^POSTGRES_DSN=(.*)/);
  await child.waitForLine(/^redis +(installed|docker +127|not used)/);
  await child.waitForLine(/^Running/);
  await postgres.ready(url);

  child.kill(signal);
  expect(await child.exit).toEqual({ code: 0, signal: null });
  await expect(postgres.ready(url)).rejects.toThrow('ECONNREFUSED');
});
