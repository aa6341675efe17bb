import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChild } from '@core-infra/testing';

interface Outcome {
  /** Of each spec, by its full name. */
  statuses: Record<string, string>;
  code: number | null;
  /** What was said of skipped blocks. */
  skipped: string[];
  messages: string;
}

const nowhere = mkdtempSync(join(tmpdir(), 'core-infra-nowhere-'));
const config = join(__dirname, '../fixtures/missing-servers/jest.config.js');
// Jest looks for one where it is started.
beforeAll(() => writeFileSync(join(nowhere, 'jest.config.js'), `module.exports = require(${JSON.stringify(config)});`));
afterAll(() => rmSync(nowhere, { recursive: true }));

/** Runs Jest where no server is installed: with an empty PATH, in an empty folder. */
async function jest(file: string, env: Record<string, string | undefined> = {}): Promise<Outcome> {
  const report = join(nowhere, 'report.json');
  const child = runChild(require.resolve('jest/bin/jest'), {
    args: ['--runInBand', '--json', '--outputFile', report, `${file}.case.ts`],
    cwd: nowhere,
    env: {
      PATH: '',
      CI: undefined,
      REDIS_URL: undefined,
      REDIS_ADDR: undefined,
      RABBITMQ_URL: undefined,
      RABBITMQ_BIN: '/nowhere',
      NATS_URL: undefined,
      NATS_SERVER_BIN: undefined,
      TOXIPROXY_URL: undefined,
      TOXIPROXY_BIN: undefined,
      JEST_WORKER_ID: undefined,
      ...env,
    },
    execArgv: ['--experimental-vm-modules'],
  });
  const { code } = await child.exit;
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { message: string; assertionResults: { fullName: string; status: string }[] }[];
  };
  return {
    code,
    skipped: child.lines.filter(line => line.startsWith('SKIPPED')),
    messages: testResults.map(({ message }) => message).join('\n'),
    statuses: Object.fromEntries(
      testResults.flatMap(({ assertionResults }) => assertionResults.map(({ fullName, status }) => [fullName, status])),
    ),
  };
}

const folder = 'libs/testing/test/fixtures/missing-servers';

describe('on a machine without the servers', () => {
  it('blocks that need one are skipped with the reason, and the others run', async () => {
    const { code, statuses, skipped } = await jest('blocks');
    expect(statuses).toEqual({
      'needs nothing': 'passed',
      'shared redis asks': 'pending',
      'shared redis within asks again: 1': 'pending',
      'shared redis within asks again: 2': 'pending',
      'own redis asks': 'pending',
      'cluster asks': 'pending',
      'toxiproxy asks': 'pending',
      'rabbitmq asks': 'pending',
      'nats asks': 'pending',
    });
    expect(skipped).toEqual([
      expect.stringMatching(
        /^SKIPPED .*blocks\.case\.ts › shared redis: No redis to work with: .*REDIS_URL.*Run `.*redis.*`, start Docker, or set REDIS_URL\.$/,
      ),
      expect.stringMatching(/› own redis: No redis .* Docker is not installed\. Run `.*redis.*`, start Docker\.$/),
      expect.stringMatching(/› cluster: No redis .* there is no image of it\. Run `.*redis.*`\.$/),
      expect.stringMatching(/› toxiproxy: No toxiproxy .* Run `.*toxiproxy.*`, or set TOXIPROXY_URL\.$/),
      expect.stringMatching(/› rabbitmq: No rabbitmq .* Run `.*`, start Docker\.$/),
      expect.stringMatching(/› nats: No nats .* NATS_URL not set.* start Docker, or set NATS_URL\.$/),
    ]);
    expect(skipped[0]).toContain(folder);
    expect(code).toBe(0);
  });

  it('a file that needs one at its top is skipped as a whole', async () => {
    const { code, statuses, skipped } = await jest('file');
    expect(statuses).toEqual({ asks: 'pending' });
    expect(skipped).toHaveLength(1);
    expect(code).toBe(0);
  });

  it('they fail with CI=true, and say what is missing', async () => {
    const { code, statuses, skipped, messages } = await jest('blocks', { CI: 'true' });
    expect(statuses).toEqual({
      'needs nothing': 'passed',
      'shared redis asks': 'failed',
      'shared redis within asks again: 1': 'failed',
      'shared redis within asks again: 2': 'failed',
      'own redis asks': 'failed',
      'cluster asks': 'failed',
      'toxiproxy asks': 'failed',
      'rabbitmq asks': 'failed',
      'nats asks': 'failed',
    });
    expect(skipped).toEqual([]);
    expect(messages).toContain('No redis to work with: REDIS_URL and REDIS_ADDR not set');
    for (const name of ['toxiproxy', 'rabbitmq', 'nats']) expect(messages).toContain(`No ${name} to work with`);
    expect(code).toBe(1);
  });

  it('they fail in another environment of Jest, too', async () => {
    const { code, statuses, messages } = await jest('file', { PLAIN: 'yes' });
    expect(statuses).toEqual({ asks: 'failed' });
    expect(messages).toContain('No redis to work with');
    expect(code).toBe(1);
  });

  it('they run with an address in the environment', async () => {
    const { statuses, skipped } = await jest('file', { REDIS_ADDR: '127.0.0.1:6400' });
    expect(statuses).toEqual({ asks: 'passed' });
    expect(skipped).toEqual([]);
  });
});
