import { type Child, eventually, runChild } from '@core-infra/testing';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Line {
  msg: string;
  index?: number;
  logger?: string;
  level?: string;
  of?: string;
  err?: { message: string };
}

const talk = (env: Record<string, string>): Child =>
  runChild(join(__dirname, 'fixtures/chatty.ts'), {
    env: {
      NODE_ENV: 'production',
      HTTP_PORT: '0',
      HTTP_HOST: '127.0.0.1',
      LOGGING_FORMAT: 'json',
      SHUTDOWN_DELAY_MS: '0',
      ...env,
    },
  });

const parse = (lines: readonly string[]): Line[] =>
  lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Line);
const all = Array.from({ length: 10_000 }, (_, index) => index + 1);

describe('the log of an app under bootstrap', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'core-logging-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each<[string, number, Partial<Line>]>([
    ['signal', 0, { msg: 'Shut down', level: 'info' }],
    ['rejection', 1, { msg: 'unhandled rejection', level: 'fatal', err: { message: 'rejected by nobody' } }],
  ])('has the last of 10,000 lines after a %s, in the file and on stdout', async (end, code, last) => {
    const file = join(folder, 'app.log');
    const child = talk({ END: end, LOGGING_OUTPUT: 'both', LOGGING_FILE_PATH: file });
    await child.waitForLine(/Listening on/);
    child.kill('SIGUSR2');
    await expect(child.exit).resolves.toEqual({ code, signal: null });
    const written = [parse((await readFile(file, 'utf8')).split('\n')), parse(child.stdout)];
    for (const lines of written) {
      expect(lines.filter(({ msg }) => msg === 'line').map(({ index }) => index)).toEqual(all);
      expect(lines.at(-1)).toMatchObject(last);
    }
  });

  it.each([
    ['has stopped reading', /EAGAIN.*Whoever reads it has stopped reading\./],
    ['is gone', /EPIPE.*Whoever read it is gone\./],
  ])('does not hold the app when the reader of its stdout %s', async (how, said) => {
    const child = talk({ TALK: 'on' });
    const [, url] = await child.waitForLine(/Listening on (http:\/\/[\d.:]+)/);
    if (how === 'is gone') child.process.stdout!.destroy();
    else child.process.stdout!.pause();
    await child.waitForLine(said);
    await expect(fetch(`${url}/hello`).then(answer => answer.text())).resolves.toBe('hello');
    const ended = new Promise(resolve => child.process.once('exit', resolve)); // its stdout is never read to the end
    child.kill('SIGTERM');
    await expect(ended).resolves.toBe(0);
    expect(child.lines.filter(line => said.test(line))).toHaveLength(1);
  });

  it('follows an edit of the configuration, logger by logger', async () => {
    const edit = (levels: object) =>
      writeFile(join(folder, 'production.json'), JSON.stringify({ logging: { level: 'info', levels } }));
    await edit({});
    const child = talk({ DEBUG_LINES: 'on', CONFIG_DIR: folder });
    await child.waitForLine(/Listening on/);
    const details = () => parse(child.stdout).filter(({ msg }) => msg === 'a detail');
    expect(details()).toEqual([]);
    await edit({ OrdersService: 'debug' });
    await child.waitForLine(/a detail/);
    expect(details().map(({ logger }) => logger)).toEqual(details().map(() => 'OrdersService'));
    await edit({ Talker: 'debug' });
    await eventually(() => expect(details().at(-1)).toMatchObject({ logger: 'Talker', level: 'debug' }));
    const before = details().length;
    await eventually(() => expect(details().length).toBeGreaterThan(before + 5));
    expect(
      details()
        .slice(before)
        .filter(({ logger }) => logger !== 'Talker'),
    ).toEqual([]);
    child.kill('SIGTERM');
    await child.exit;
  });
});
