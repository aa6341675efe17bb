import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigModule } from '@core-infra/config';
import { DatabaseModule, DataSource } from '@core-infra/database';
import { bootInfra, eventually, RecordingLogger, usePostgres } from '@core-infra/testing';
import { Logger } from '@nestjs/common';

describe('settings that follow the configuration’s files', () => {
  const server = usePostgres();
  let root: string;
  const write = (yaml: string) => writeFile(join(root, 'config/default.yaml'), yaml);

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'live-'));
    await mkdir(join(root, 'config'));
  });
  afterAll(() => rm(root, { recursive: true }));
  afterEach(() => Logger.overrideLogger(false));

  it('echo and slowQueryMs, turned on and off again while the app runs, masked all the while', async () => {
    await write('database: { slowQueryMs: 0 }');
    await using app = await bootInfra(
      ConfigModule.forRoot({ root, env: { DATABASE_URL: server.url }, argv: [], watch: true, environment: 'test' }),
      DatabaseModule.forRootAsync(),
    );
    const logger = new RecordingLogger();
    Logger.overrideLogger(logger);
    const told = async () => {
      const before = logger.records.length;
      await app.get(DataSource).query(`SELECT pg_sleep(0.01), 'literal', $1::text`, ['hunter2']);
      return logger.records.slice(before).map(({ level, msg }) => `${level} ${msg.replace(/\d+ ms/, '')}`);
    };
    expect(await told()).toEqual([]);
    await write('database: { slowQueryMs: 5, echo: true }');
    await eventually(async () =>
      expect(await told()).toEqual(['debug SELECT pg_sleep(?), ?, $1::text', 'warn Slow statement: ']),
    );
    await write('database: { slowQueryMs: 0, echo: false }');
    await eventually(async () => expect(await told()).toEqual([]));
    expect(JSON.stringify(logger.records)).not.toMatch(/hunter2|literal/);
  });
});
