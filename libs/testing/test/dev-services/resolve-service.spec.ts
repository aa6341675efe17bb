import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import {
  defineService,
  eventually,
  postgres,
  resolveService,
  ServiceMissingError,
  uniqueName,
} from '@core-infra/testing';

const scratch = mkdtempSync(join(tmpdir(), 'core-infra-resolve-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Accepts connections, as far as a service needs a server at all here. */
const SERVER = 'require("node:net").createServer().listen(Number(process.argv.at(-1)), "127.0.0.1")';

const accepts = async (url: string): Promise<void> => {
  const socket = createConnection(Number(new URL(url).port), '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
};

const service = defineService({
  name: 'toy',
  env: ['TOY_URL', 'TOY_ADDR'],
  url: ({ port }) => `toy://127.0.0.1:${port}`,
  ready: accepts,
  docker: { image: 'toy:1', port: 7_000, data: '/data', env: secret => ({ TOY_SECRET: secret }) },
  missing: 'Run `npm install --save-dev toy`',
});

/** A `docker` command in front of the others on the PATH, since no engine can be had everywhere the specs run. */
function withDocker(script: string): Disposable {
  const folder = mkdtempSync(join(scratch, 'bin-'));
  writeFileSync(join(folder, 'docker'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'docker'), 0o755);
  const before = process.env.PATH;
  process.env.PATH = `${folder}${delimiter}${before}`;
  return { [Symbol.dispose]: () => void (process.env.PATH = before) };
}

describe('a service', () => {
  it('is taken from the environment first, by the first variable that is set, and never stopped', async () => {
    const found = await resolveService(
      postgres,
      { kind: 'private' },
      { POSTGRES_DSN: '', DATABASE_URL: 'postgres://me:hidden@db.example:6543/orders' },
    );
    expect(found).toMatchObject({
      resolution: 'environment',
      variable: 'DATABASE_URL',
      url: 'postgres://me:hidden@db.example:6543/orders',
      address: 'db.example:6543/orders',
    });
    await found.stop();
  });

  it('is embedded where that is installed', async () => {
    const found = await resolveService(postgres, { kind: 'private' }, {});
    try {
      expect(found).toMatchObject({ resolution: 'embedded', variable: 'POSTGRES_DSN' });
      expect(found.address).toMatch(/^127\.0\.0\.1:\d+\/postgres$/);
      await postgres.ready(found.url);
    } finally {
      await found.stop();
    }
    await expect(postgres.ready(found.url)).rejects.toThrow('ECONNREFUSED');
  });

  it('runs in Docker where nothing else is there, and its container is removed', async () => {
    const log = join(scratch, uniqueName('docker'));
    using _ = withDocker(
      `echo "$@" >> ${log}; case "$1" in
       run) echo "secret of \${#TOY_SECRET} characters" >> ${log}; port=\${6#127.0.0.1:}; exec '${process.execPath}' -e '${SERVER}' "\${port%:7000}";;
       esac`,
    );
    const found = await resolveService(service, { kind: 'private' }, {});
    expect(found.resolution).toBe('docker');
    await accepts(found.url);
    await found.stop();

    const calls = readFileSync(log, 'utf8');
    const [, name] = calls.match(/run --rm --name (\S+) --publish 127\.0\.0\.1:\d+:7000 --env TOY_SECRET toy:1/) ?? [];
    expect(name).toMatch(/^core-infra-toy-/);
    expect(calls).toContain('secret of 24 characters');
    expect(calls).toContain(`rm --force --volumes ${name}`);
    await expect(accepts(found.url)).rejects.toThrow('ECONNREFUSED');
  });

  it('is a clear error where there is nothing', async () => {
    using _ = withDocker('exit 1');
    const failure = await resolveService(service, { kind: 'private' }, {}).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ServiceMissingError);
    expect(failure).toMatchObject({
      code: 'INFRA_DEV_SERVICE_MISSING',
      problem:
        'No toy to work with: TOY_URL and TOY_ADDR not set, nothing of it installed for this platform, and no Docker engine answers.',
      fix: 'Run `npm install --save-dev toy`, or set TOY_URL.',
    });
  });

  it('that does not come up says so with the end of its log, and leaves nothing', async () => {
    using _ = withDocker('[ "$1" = run ] || exit 0; echo "FATAL: no licence for $(pwd)"; exit 3');
    const failure = (await resolveService(service, { kind: 'private' }, {}).catch((error: unknown) => error)) as Error;
    expect(failure).toMatchObject({ code: 'INFRA_DEV_SERVICE_START', problem: 'toy did not start: it ended.' });
    const [, folder] = failure.message.match(/FATAL: no licence for (.*)/) ?? [];
    await eventually(() => expect(() => readFileSync(join(folder ?? '', 'server.json'))).toThrow('ENOENT'));
  });

  it('takes another port when somebody was faster', async () => {
    const counter = join(scratch, uniqueName('count'));
    using _ = withDocker(
      `[ "$1" = run ] || exit 0
       echo x >> ${counter}
       [ $(wc -l < ${counter}) -gt 2 ] || { echo "Bind for 127.0.0.1 failed: port is already allocated" >&2; exit 125; }
       port=\${6#127.0.0.1:}; exec '${process.execPath}' -e '${SERVER}' "\${port%:7000}"`,
    );
    const found = await resolveService(service, { kind: 'private' }, {});
    expect(readFileSync(counter, 'utf8').trim().split('\n')).toHaveLength(3);
    await found.stop();
  });
});
