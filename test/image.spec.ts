import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runChild, usePostgres } from '@core-infra/testing';

const root = path.resolve(__dirname, '..');

/** What the last stage of the Dockerfile takes from the repository itself, rather than from an earlier stage. */
function copiedFromRepository(): [source: string, target: string][] {
  const lastStage = readFileSync(path.join(root, 'deploy/Dockerfile'), 'utf8')
    .split(/^FROM /m)
    .at(-1)!;
  return [...lastStage.matchAll(/^COPY (?!--)(\S+) (\S+)$/gm)].map(([, source, target]) => [source!, target!]);
}

describe('the container image', () => {
  const postgres = usePostgres();
  let folder = '';
  beforeAll(() => (folder = mkdtempSync(path.join(tmpdir(), 'core-infra-image-'))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('holds all that the app reads: in production it migrates an empty database and answers', async () => {
    for (const [source, target] of copiedFromRepository())
      cpSync(path.join(root, source), path.join(folder, target, target === './' ? source : ''), { recursive: true });
    const child = runChild(path.join(root, 'apps/orders-api/src/main.ts'), {
      cwd: folder,
      env: {
        NODE_ENV: 'production',
        POSTGRES_DSN: undefined,
        DATABASE_URL: postgres.url,
        DATABASE_SSL_MODE: 'disable',
        HTTP_PORT: '0',
        HTTP_HOST: '127.0.0.1',
        SHUTDOWN_DELAY_MS: '0',
        LOG_LEVEL: undefined,
      },
    });
    const [, url] = await child.waitForLine(/Listening on (http:[^"\s]+)/);
    const answer = await fetch(`${url}/api/v1/products`);
    expect([answer.status, await answer.json()]).toEqual([200, { items: [], page: 1, size: 20, total: 0, pages: 0 }]);
    child.kill();
    expect(await child.exit).toEqual({ code: 0, signal: null });
  });
});
