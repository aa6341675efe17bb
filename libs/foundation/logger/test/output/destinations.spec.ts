import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { eventually } from '@core-infra/testing';
import { BufferedWriter } from '../../src/output/buffered.writer.js';
import { RotatingFile } from '../../src/output/rotating.file.js';
import { useLogFolder } from '../log-folder.js';

const policy = { maxSizeBytes: 0, rotateEveryMs: 0, maxBackups: 0, maxAgeMs: 0, compress: false };

describe('destinations', () => {
  const folder = useLogFolder();
  const reports: string[] = [];
  beforeEach(() => void reports.splice(0));

  const writerTo = (
    path: string,
    rotation: Partial<typeof policy> = {},
    options: { maxBufferBytes?: number; now?: () => number } = {},
  ) => {
    const report = (text: string) => void reports.push(text);
    const target = new RotatingFile(path, { ...policy, ...rotation }, report, options.now);
    const writer = new BufferedWriter(target, {
      flushIntervalMs: 5,
      maxBufferBytes: options.maxBufferBytes ?? 1e6,
      report,
    });
    writer.open();
    return folder.closing(writer);
  };
  const others = () =>
    readdirSync(folder.file('.'))
      .filter(name => name !== 'app.log')
      .sort();

  it('writes by itself, soon, and makes the folder', async () => {
    const writer = writerTo(folder.file('a/b/app.log'));
    writer.write('one\n');
    await eventually(() => expect(folder.text('a/b/app.log')).toBe('one\n'));
    expect(statSync(folder.file('a/b/app.log')).mode & 0o777).toBe(0o640);
  });

  it('appends to what is there', async () => {
    writeFileSync(folder.file(), 'old\n');
    const writer = writerTo(folder.file());
    writer.write('new\n');
    await writer.flush();
    expect(folder.text()).toBe('old\nnew\n');
  });

  it('a full disk is reported once, is no exception, and lines beyond the bound are dropped', async () => {
    const writer = writerTo('/dev/full', {}, { maxBufferBytes: 70_000 });
    for (let index = 0; index < 10_000; index += 1) {
      writer.write(`${'x'.repeat(99)}\n`);
      if (index % 1_000 === 0) await writer.flush();
    }
    writer.flushSync();
    expect(reports).toEqual([expect.stringMatching(/\/dev\/full cannot be written: ENOSPC.*Free space/s)]);
    expect((writer as unknown as { pending: string }).pending.length).toBeLessThan(80_000);
  });

  it('a folder that cannot be made is reported once, and the held lines come when it can', async () => {
    writeFileSync(folder.file('blocked'), 'a file where the folder should be');
    const writer = writerTo(folder.file('blocked/app.log'));
    writer.write('one\n');
    writer.write('two\n');
    await writer.flush();
    expect(reports).toEqual([expect.stringMatching(/cannot be written/)]);
    rmSync(folder.file('blocked'));
    await eventually(() => expect(folder.text('blocked/app.log')).toBe('one\ntwo\n'));
    await eventually(() => expect(reports).toEqual([expect.anything(), expect.stringMatching(/works again\.$/)]));
  });

  it('counts what it dropped, and tells when it works again', async () => {
    mkdirSync(folder.file('folder'));
    writeFileSync(folder.file('folder/x'), 'keeps it from being opened as a file');
    const writer = writerTo(folder.file('folder'), {}, { maxBufferBytes: 65_536 });
    for (let index = 0; index < 1_000; index += 1) writer.write(`${'x'.repeat(99)}\n`);
    rmSync(folder.file('folder'), { recursive: true });
    await eventually(() => expect(reports.at(-1)).toMatch(/works again; \d+ lines were dropped meanwhile/));
  });

  it('rotates by size, between lines, and keeps so many backups', async () => {
    const writer = writerTo(folder.file(), { maxSizeBytes: 1_000, maxBackups: 3 });
    for (let index = 0; index < 100; index += 1) {
      writer.write(`${String(index).padStart(99, '0')}\n`);
      if (index % 10 === 9) await writer.flush();
    }
    await writer.close();
    expect(others()).toHaveLength(3);
    const numbers = [...others(), 'app.log'].flatMap(name => folder.text(name).trimEnd().split('\n').map(Number));
    expect(numbers).toEqual(Array.from({ length: 40 }, (_, index) => 60 + index));
    for (const name of others()) expect(statSync(folder.file(name)).size).toBe(1_000);
  });

  it('rotates by age', async () => {
    let now = Date.now();
    const writer = writerTo(folder.file(), { rotateEveryMs: 60_000 }, { now: () => now });
    writer.write('first\n');
    await writer.flush();
    writer.write('second\n');
    await writer.flush();
    now += 61_000;
    writer.write('third\n');
    await writer.flush();
    expect(others()).toEqual([expect.stringMatching(/^app-\d{8}T\d{9}\.log$/)]);
    expect(folder.text(others()[0])).toBe('first\nsecond\n');
    expect(folder.text()).toBe('third\n');
  });

  it('compresses what it puts aside, and tidies up after a process that died at it', async () => {
    writeFileSync(folder.file('app-20200101T000000000.log.gz.tmp'), 'half');
    const writer = writerTo(folder.file(), { maxSizeBytes: 20, compress: true });
    writer.write('0123456789012345678\n');
    writer.write('next\n');
    await writer.close();
    expect(others()).toEqual([expect.stringMatching(/^app-\d{8}T\d{9}\.log\.gz$/)]);
    expect(gunzipSync(readFileSync(folder.file(others()[0]))).toString()).toBe('0123456789012345678\n');
  });

  it('removes old backups and nothing else', async () => {
    for (const name of [
      'app-20200101T000000000.log',
      'app-20200101T000000000.log.gz',
      'app-notes.log',
      'other-20200101T000000000.log',
    ]) {
      writeFileSync(folder.file(name), 'x');
      utimesSync(folder.file(name), new Date(0), new Date(0));
    }
    writeFileSync(folder.file('app-20260101T000000000.log'), 'young');
    await writerTo(folder.file(), { maxAgeMs: 86_400_000 }).close();
    expect(others()).toEqual(['app-20260101T000000000.log', 'app-notes.log', 'other-20200101T000000000.log']);
  });

  it('goes on with the same file when it cannot be put aside, and says so once', async () => {
    const name = `${'a'.repeat(245)}.log`; // with a time in it, it would be longer than a name may be
    const writer = writerTo(folder.file(name), { maxSizeBytes: 10 });
    for (const line of ['123456789\n', 'second\n', 'third\n']) {
      writer.write(line);
      await writer.flush();
    }
    expect(folder.text(name)).toBe('123456789\nsecond\nthird\n');
    expect(reports).toEqual([expect.stringMatching(/cannot be rotated and grows on: .*ENAMETOOLONG/)]);
  });

  it('goes on when somebody moved the file away', async () => {
    const writer = writerTo(folder.file(), { maxSizeBytes: 10 });
    writer.write('123456789\n');
    await writer.flush();
    rmSync(folder.file());
    writer.write('after\n');
    await writer.flush();
    expect(folder.text()).toBe('after\n');
    expect(reports).toEqual([]);
  });
});
