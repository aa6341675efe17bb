import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runChild, usePostgres } from '@core-infra/testing';

const root = path.resolve(__dirname, '..');

/** What the last stage of the Dockerfile takes from the repository itself, rather than from an earlier stage. */
function copiedFromRepository(app: string): [source: string, target: string][] {
  const lastStage = readFileSync(path.join(root, 'deploy/Dockerfile'), 'utf8')
    .replaceAll('${APP}', app)
    .split(/^FROM /m)
    .at(-1)!;
  return [...lastStage.matchAll(/^COPY (?!--)(\S+) (\S+)$/gm)].map(([, source, target]) => [source!, target!]);
}

describe('the container image', () => {
  const postgres = usePostgres();
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'core-infra-image-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['orders-api', {}, '/api/v1/products', { items: [], page: 1, size: 20, total: 0, pages: 0 }],
    [
      'orders-worker',
      { PAYMENTS_URL: 'https://payments.example.com/v1' },
      '/health/live',
      { status: 'ok', checks: {} },
    ],
  ])(
    'of %s holds all that the app reads: in production it migrates the database and answers',
    async (app, env, where, answer) => {
      for (const [source, target] of copiedFromRepository(app))
        cpSync(path.join(root, source), path.join(folder, target, target === './' ? source : ''), { recursive: true });
      const child = runChild(path.join(root, 'apps', app, 'src/main.ts'), {
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
          ...env,
        },
      });
      const [, url] = await child.waitForLine(/Listening on (http:[^"\s]+)/);
      const response = await fetch(`${url}${where}`);
      expect([response.status, await response.json()]).toEqual([200, answer]);
      expect((await fetch(`${url}/api/v1/fake-payments/charges?reference=x`)).status).toBe(404);
      child.kill();
      expect(await child.exit).toEqual({ code: 0, signal: null });
    },
  );

  it('of orders-worker does not charge anybody by a provider that is not one: in production it wants an address', async () => {
    const child = runChild(path.join(root, 'apps/orders-worker/src/main.ts'), {
      cwd: root,
      env: { NODE_ENV: 'production', DATABASE_URL: postgres.url, POSTGRES_DSN: undefined, PAYMENTS_URL: undefined },
    });
    expect(await child.exit).toEqual({ code: 1, signal: null });
    expect(child.lines.join('\n')).toContain('PAYMENTS_URL');
  });
});
