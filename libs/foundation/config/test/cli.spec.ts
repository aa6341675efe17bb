import { Module } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import Ajv2020 from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import {
  type CliContext,
  connectionSection,
  declareSection,
  provideConfig,
  SectionDeclaration,
} from '@core-infra/kernel';
import { AppConfig, ConfigModule } from '@core-infra/config';
import { commands } from '@core-infra/config/cli';
import type { Importable } from '@core-infra/testing';
import { NeedyConfig, StoreConfig } from './helpers/sections.js';
import { Workspace } from './helpers/workspace.js';

interface Run {
  readonly code: number;
  readonly rows: Record<string, unknown>[];
  readonly text: string;
  readonly notes: string[];
}

/** Runs a command on an app that is inspected, as the `core-infra` command does it: nothing is instantiated. */
async function run(name: string, imports: Importable[], section?: string): Promise<Run> {
  @Module({ imports })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  const rows: Record<string, unknown>[] = [];
  const notes: string[] = [];
  let text = '';
  const command = commands.find(({ usage }) => usage.startsWith(`config ${name}`))!;
  const context = {
    app: {
      inspect: () => Promise.resolve(app.get(ModulesContainer)),
      boot: () => Promise.reject(new Error('not to be booted')),
    },
    output: {
      rows: (list: readonly Record<string, unknown>[]) => void rows.push(...list),
      text: (line: string) => void (text += line),
      json: () => undefined,
      note: (line: string) => void notes.push(line),
    },
    args: { section },
    options: {},
    signal: new AbortController().signal,
  } satisfies CliContext;
  const code = (await command.run(context)) ?? 0;
  await app.close();
  return { code, rows, text, notes };
}

const feature = ConfigModule.forFeature(StoreConfig);

describe('config print', () => {
  it('shows every value with its source, secrets masked, from an app of which nothing is instantiated', async () => {
    using space = new Workspace({ 'config/default.yaml': 'store:\n  port: 7\n', secret: 'hunter2' });
    const env = { STORE_PASSWORD: 'hunter1', STORE_HOST: `file://${space.path('secret')}`, STORE_MODE: 'fast' };
    const { code, rows } = await run('print', [space.module({ env }), feature], 'store');
    expect(code).toBe(0);
    const of = (key: string) => rows.find(row => row.key === key);
    expect(of('store.port')).toEqual({
      key: 'store.port',
      value: 7,
      source: 'config/default.yaml:2',
      env: 'STORE_PORT',
    });
    expect(of('store.mode')).toMatchObject({ value: 'fast', source: 'env STORE_MODE' });
    expect(of('store.pool.max')).toMatchObject({ value: 10, source: 'default' });
    expect(of('store.password')).toMatchObject({ value: '****', source: 'env STORE_PASSWORD' });
    expect(of('store.host')).toMatchObject({ value: '****' });
    expect(JSON.stringify(rows)).not.toContain('hunter');
    expect(rows.every(({ key }) => (key as string).startsWith('store.'))).toBe(true);
  });

  it('shows a secret of a store by its name, and says that it was not asked', async () => {
    using space = new Workspace();
    const { code, rows, notes } = await run('print', [
      space.module({ env: { STORE_PASSWORD: 'secret://db' } }),
      feature,
    ]);
    expect(code).toBe(0);
    expect(rows.find(({ key }) => key === 'store.password')).toMatchObject({
      value: '****',
      source: 'env STORE_PASSWORD -> secret://db',
    });
    expect(notes).toContainEqual(expect.stringContaining('store.password'));
  });

  it('says what it cannot know', async () => {
    using space = new Workspace();
    const later = declareSection(new SectionDeclaration('needy', NeedyConfig, undefined));
    const { notes } = await run('print', [space.module(), { module: class Later {}, providers: [later] }]);
    expect(notes).toEqual([expect.stringContaining('in: needy')]);
    expect((await run('print', [feature])).notes).toContainEqual(expect.stringContaining('no ConfigModule'));
  });
});

describe('config print', () => {
  it('masks the credentials of an address in a field that is no secret', async () => {
    using space = new Workspace();
    const env = { STORE_HOST: 'net://app:s3cret@host' };
    const { rows } = await run('print', [space.module({ env }), feature], 'store');
    expect(rows).toContainEqual(expect.objectContaining({ key: 'store.host', value: 'net://****@host' }));
  });

  it('exits with 2 for a section that nobody reads, with the nearest, and for a configuration with problems', async () => {
    using space = new Workspace();
    const imports = (env: NodeJS.ProcessEnv = {}) => [space.module({ env }), feature];
    expect(await run('print', imports(), 'stroe')).toMatchObject({ code: 2, rows: [], notes: ['Did you mean store?'] });
    const broken = await run('print', imports({ STORE_PORT: 'x' }), 'store');
    expect(broken).toMatchObject({
      code: 2,
      notes: ['The configuration has a problem; see core-infra config check.'],
    });
  });
});

describe('config check', () => {
  it('prints all problems and exits with 2, or with 0 when there is none', async () => {
    using space = new Workspace({ 'config/default.yaml': 'store:\n  port: 70000\n  hots: x' });
    const bad = await run('check', [space.module(), feature, ConfigModule.forFeature(NeedyConfig)]);
    expect(bad.code).toBe(2);
    expect(new Set(bad.rows.map(({ key }) => key))).toEqual(new Set(['needy.url', 'store.hots', 'store.port']));
    space.write('config/default.yaml', 'store: { port: 7 }');
    expect(await run('check', [space.module({ env: { STORE_HSOT: '' } }), feature])).toMatchObject({
      code: 0,
      rows: [],
      notes: ['STORE_HSOT is not read. Did you mean STORE_HOST?'],
    });
  });

  it('does not miss what a factory will give', async () => {
    using space = new Workspace({ 'config/default.yaml': 'needy: { url: [1] }' });
    const later = declareSection(new SectionDeclaration('needy', NeedyConfig, undefined));
    const imports = () => [space.module(), { module: class Later {}, providers: [later] }];
    expect(await run('check', imports())).toMatchObject({ code: 2, rows: [{ key: 'needy.url' }] });
    space.write('config/default.yaml', '');
    expect((await run('check', imports())).code).toBe(0);
  });
});

describe('config schema', () => {
  class Named extends StoreConfig {}
  const providers = provideConfig(Named, { section: connectionSection('store', 'audit') });
  const named = { module: class NamedModule {}, providers };

  async function validator() {
    using space = new Workspace();
    const { text } = await run('schema', [space.module(), feature, named]);
    return new Ajv2020({ allowUnionTypes: true }).compile(JSON.parse(text) as object);
  }

  it.each([
    'store: { host: db, port: 5, timeoutMs: "5m", cache_bytes: 10MB, tags: [a], levels: { A: debug }, mode: safe }',
    'store: { tags: "a,b", max_open_conns: 5, pool: { idle-timeout-ms: 1h 30m } }',
    'store: { password: "file:///run/port", port: "file:///run/port", echo: true }',
    'store: { connections: { audit: { host: db } } }',
    'app: { name: orders }\ndevelopment: { debug: true }',
    '{}',
  ])('accepts what the app accepts: %s', async yaml => {
    using space = new Workspace({ port: '5' });
    const text = yaml.replaceAll('file:///run/port', `file://${space.path('port')}`);
    space.write('config/default.yaml', text);
    await using app = await space.boot({}, feature, named);
    expect(app.get(StoreConfig)).toBeInstanceOf(StoreConfig);
    const validate = await validator();
    expect([validate(parse(text)), validate.errors]).toEqual([true, null]);
  });

  it.each([
    'store: { hots: db }',
    'stroe: {}',
    'store: { port: 70000 }',
    'store: { port: "5x" }',
    'store: { mode: slow }',
    'store: { timeoutMs: soon }',
    'store: { pool: 5 }',
    'store: { connections: { audit: { hots: db } } }',
  ])('refuses what the app refuses: %s', async yaml => {
    using space = new Workspace({ 'config/default.yaml': yaml });
    expect(await space.problems({}, feature, named)).not.toEqual([]);
    expect((await validator())(parse(yaml))).toBe(false);
  });

  it('has the defaults, and none that differs from machine to machine', async () => {
    const { schema } = (await validator()) as unknown as { schema: any };
    expect(schema.properties.store.properties.port.default).toBe(5000);
    expect(schema.properties.app.properties.instance.default).toBe(new AppConfig().instance);
    expect(schema.properties.store.properties.password.default).toBeUndefined();
  });
});
