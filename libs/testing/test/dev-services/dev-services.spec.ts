import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineService, postgres, runChild, startDevServices } from '@core-infra/testing';

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

it.each(['SIGINT', 'SIGTERM'] as const)('npm run dev:services runs until %s and stops its servers', async signal => {
  const main = join(__dirname, '../../src/dev-services/main.ts');
  const child = runChild(main, { cwd: project, env: { POSTGRES_DSN: undefined, DATABASE_URL: undefined } });
  await child.waitForLine(/^postgres +embedded +127\.0\.0\.1:\d+\/postgres$/);
  const [, url = ''] = await child.waitForLine(/^POSTGRES_DSN=(.*)/);
  await child.waitForLine(/^Running/);
  await postgres.ready(url);

  child.kill(signal);
  expect(await child.exit).toEqual({ code: 0, signal: null });
  await expect(postgres.ready(url)).rejects.toThrow('ECONNREFUSED');
});
