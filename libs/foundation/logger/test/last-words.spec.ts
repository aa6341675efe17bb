import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, runChild } from '@core-infra/testing';

const program = join(__dirname, 'fixtures/writer.ts');

describe('the last lines of a process', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'last-words-'));
    file = join(folder, 'app.log');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const parse = (text: string) =>
    text
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line) as { msg: string; index?: number; level: string; err?: { message: string } });
  const indexes = (lines: ReturnType<typeof parse>) =>
    lines.filter(line => line.msg === 'line').map(line => line.index);
  const allOf = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

  it.each([
    ['throw', 'thrown in a timer', 'uncaught exception'],
    ['reject', 'rejected by nobody', 'unhandled rejection'],
  ])('all are in the file after a %s, and the exception is not swallowed', async (how, message, kind) => {
    const child = runChild(program, { args: [how, 'file', file] });
    expect(await child.exit).toEqual({ code: 1, signal: null });
    expect(child.lines.join('\n')).toContain(message);
    const lines = parse(await readFile(file, 'utf8'));
    expect(indexes(lines)).toEqual(allOf(10_000));
    expect(lines.at(-1)).toMatchObject({ level: 'fatal', msg: kind, err: { message } });
  });

  it('all are in the file, each once, when some were under way at the exception', async () => {
    const child = runChild(program, { args: ['in-flight', 'file', file] });
    expect((await child.exit).code).toBe(1);
    expect(indexes(parse(await readFile(file, 'utf8')))).toEqual([...allOf(10_000), ...allOf(10_000)]);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'all are in the file after a %s, which still ends the process',
    async signal => {
      const child = runChild(program, { args: ['signal', 'file', file] });
      await child.waitForLine(/ready/);
      child.kill(signal);
      expect(await child.exit).toEqual({ code: null, signal });
      expect(indexes(parse(await readFile(file, 'utf8')))).toEqual(allOf(10_000));
    },
  );

  it("leaves the signal to Nest's shutdown hooks, and has what is logged meanwhile", async () => {
    const child = runChild(program, { args: ['hooks', 'file', file] });
    await child.waitForLine(/ready/);
    child.kill('SIGTERM');
    await child.exit;
    expect(indexes(parse(await readFile(file, 'utf8')))).toEqual(allOf(10_000));
  });

  it('leaves the signal to a listener that removes itself', async () => {
    const child = runChild(program, { args: ['once', 'file', file] });
    await child.waitForLine(/ready/);
    child.kill('SIGTERM');
    expect(await child.exit).toEqual({ code: 7, signal: null });
    expect(indexes(parse(await readFile(file, 'utf8')))).toEqual(allOf(10_000));
  });

  it('waits for every app of the process', async () => {
    const child = runChild(program, { args: ['two', 'file', file] });
    await child.waitForLine(/ready/);
    child.kill('SIGTERM');
    expect(await child.exit).toEqual({ code: null, signal: 'SIGTERM' });
    const lines = parse(await readFile(file, 'utf8'));
    expect(indexes(lines)).toEqual(allOf(10_000));
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'of the other app' }));
  });

  it.each([
    ['exit', 3],
    ['nothing', 0],
  ])('all are in the file when the process ends by itself (%s)', async (how, code) => {
    const child = runChild(program, { args: [how, 'file', file] });
    expect(await child.exit).toEqual({ code, signal: null });
    expect(indexes(parse(await readFile(file, 'utf8')))).toEqual(allOf(10_000));
  });

  it.each(['throw', 'signal', 'exit', 'nothing', 'in-flight'])(
    'all are on stdout, in order, through a pipe (%s)',
    async how => {
      const child = runChild(program, { args: [how, 'stdout'] });
      if (how === 'signal') {
        await child.waitForLine(/ready/);
        child.kill();
      }
      await child.exit;
      const expected = how === 'in-flight' ? [...allOf(10_000), ...allOf(10_000)] : allOf(10_000);
      expect(indexes(parse(child.stdout.join('\n')))).toEqual(expected);
    },
  );

  it('a fatal line is with the system at once, whatever happens next, and ends nothing', async () => {
    const child = runChild(program, { args: ['fatal', 'file', file] });
    expect(await child.exit).toEqual({ code: null, signal: 'SIGKILL' });
    const lines = parse(await readFile(file, 'utf8'));
    expect(indexes(lines)).toEqual(allOf(10_000));
    expect(lines.at(-1)).toMatchObject({ level: 'fatal', index: -1 });
  });

  it('lines after the end of the app are written at once', async () => {
    const child = runChild(program, { args: ['close', 'file', file, '10'] });
    expect((await child.exit).code).toBe(0);
    expect(parse(await readFile(file, 'utf8')).slice(-2)).toEqual([
      expect.objectContaining({ msg: 'after the end', logger: 'Late' }),
      expect.objectContaining({ msg: 'after the end' }),
    ]);
  });

  it('an exception that the app handles is noted, and does not end the process', async () => {
    const child = runChild(program, { args: ['caught', 'file', file] });
    expect((await child.exit).code).toBe(0);
    expect(child.lines).toEqual(expect.arrayContaining(['mine', 'still here']));
    expect(parse(await readFile(file, 'utf8')).at(-1)).toMatchObject({ msg: 'uncaught exception' });
  });

  it('kill -9 costs nothing that is older than the flush interval', async () => {
    const child = runChild(program, { args: ['paced', 'file', file] });
    await child.waitForLine(/^200 /);
    await eventually(async () => expect(indexes(parse(await readFile(file, 'utf8'))).at(-1)).toBeGreaterThan(150));
    child.kill('SIGKILL');
    await child.exit;
    const told = child.lines
      .map(line => line.split(' ').map(Number) as [number, number])
      .filter(([index]) => index > 0);
    const written = indexes(parse(await readFile(file, 'utf8')));
    expect(written).toEqual(allOf(written.length));
    // The interval is 100 ms; a shared machine gets some more for the timer and the write.
    const lost = told.filter(([index]) => index > written.length);
    const [, killedAt] = told.at(-1)!;
    for (const [, at] of lost) expect(killedAt - at).toBeLessThan(1_000);
  });

  it('no line is lost or torn where files are rotated meanwhile', async () => {
    const child = runChild(program, { args: ['rotate', 'file', file] });
    expect((await child.exit).code).toBe(0);
    const names = (await readdir(folder)).filter(name => name !== 'app.log').sort();
    expect(names.length).toBeGreaterThan(5);
    const texts = await Promise.all([...names, 'app.log'].map(name => readFile(join(folder, name), 'utf8')));
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(100_000);
    expect(indexes(parse(texts.join('')))).toEqual([...allOf(10_000), ...allOf(10_000)]);
  });
});
