import { Workspace } from './fixtures/workspace.js';
import { shop, shopModule, widgetsCli, widgetsMain, widgetsManifest } from './fixtures/widgets.js';

describe('core-infra', () => {
  let workspace: Workspace;
  beforeAll(() => (workspace = new Workspace({ files: shop })));
  afterAll(() => workspace[Symbol.dispose]());

  it('finds the commands of a third party, in an app in TypeScript that package.json names', async () => {
    const { code, stdout, stderr } = await workspace.run(['widgets', 'list', '--with-colour']);
    expect(stdout).toBe(
      [
        'id       stock left  colour',
        '───────  ──────────  ──────',
        'a                 5  red',
        'long-id       12000  -',
        'That is all.',
      ].join('\n'),
    );
    expect(stderr).toContain('asked WidgetStore');
    expect(stderr).toContain('the app talks on stdout');
    expect(stderr).toContain('the store is closed');
    expect(code).toBe(0);
  });

  it('prints JSON alone to stdout for programs', async () => {
    const { stdout } = await workspace.run(['widgets', 'list', '--limit=1', '--json']);
    expect(JSON.parse(stdout)).toEqual([{ id: 'a', stockLeft: 5 }]);
    expect(JSON.parse((await workspace.run(['--json', 'widgets', 'order', 'x', 'y', 'z'])).stdout)).toEqual({
      id: 'x',
      more: ['y', 'z'],
    });
  });

  it('shares the classes of the app: instanceof and DI tokens hold, and inspecting opens nothing', async () => {
    const inspected = await workspace.run(['widgets', 'sections', '--json']);
    expect(JSON.parse(inspected.stdout)).toEqual([{ section: 'widgets' }]);
    expect(inspected.all).not.toContain('the app talks on stdout'); // nothing was instantiated
    expect(JSON.parse((await workspace.run(['widgets', 'same', '--json'])).stdout)).toEqual({ same: true });
  });

  it('exits with what the command says, and prints an error with its fix and cause', async () => {
    expect((await workspace.run(['widgets', 'order', 'odd'])).code).toBe(2);
    const failed = await workspace.run(['widgets', 'order', 'none']);
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toBe(
      'error: There is no widget none. (ACME_NO_WIDGET)\n       Order one.\ncause: the shelf is empty',
    );
    const json = await workspace.run(['widgets', 'order', 'none', '--json']);
    expect(JSON.parse(json.stderr)).toEqual({
      error: { code: 'ACME_NO_WIDGET', message: 'There is no widget none.', fix: 'Order one.' },
    });
    expect((await workspace.run(['widgets', 'order', 'none', '--verbose'])).stderr).toMatch(/at .*\n.*caused by/s);
  });

  it('explains itself, and names what was probably meant', async () => {
    const help = await workspace.run(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/widgets +list, sections, same, order, watch/);
    expect(help.stdout).toContain('$ core-infra --app dist/app.module.js widgets list --limit 1');
    expect((await workspace.run([])).stdout).toBe(help.stdout);
    expect((await workspace.run(['widgets', 'list', '--help'])).stdout).toMatch(/--limit <count> +at most so many/);
    expect((await workspace.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await workspace.run(['wigdets'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean widgets?'),
    });
    expect(await workspace.run(['widgets', 'lst'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean list?'),
    });
    for (const wrong of [
      ['widgets'],
      ['widgets', 'list', '--nope'],
      ['widgets', 'order'],
      ['widgets', 'list', 'too', 'many'],
    ])
      expect([wrong, (await workspace.run(wrong)).code]).toEqual([wrong, 2]);
  });

  it('closes the app on Ctrl-C', async () => {
    const child = workspace.start(['widgets', 'watch']);
    await child.waitForLine(/watching/);
    child.kill('SIGINT');
    await child.waitForLine(/the store is closed/);
    expect(await child.exit).toEqual({ code: 130, signal: null });
    expect(child.lines).toContain('asked to stop');
  });

  it('says what is wrong with the app', async () => {
    workspace.write({
      'src/none.ts': 'export const one = 1;',
      'src/two.ts': 'export class A {} export class B {}',
      'src/broken.ts': `throw new Error('boom');`,
      'src/default.ts': `${shopModule}\nexport class Other {}\nexport default ShopModule;`,
      'src/named.ts': `${shopModule.replaceAll('ShopModule', 'AppModule')}\nexport class Other {}`,
    });
    const sections = (...args: string[]) => workspace.run(['widgets', 'sections', ...args]);
    expect((await sections('--app', 'src/nowhere')).stderr).toMatch(/nowhere does not exist/);
    expect((await sections('--app=src/none')).stderr).toMatch(/exports one, and none of that is plainly/);
    expect((await sections('--app', 'src/two.ts')).stderr).toMatch(/exports A, B/);
    expect(await sections('--app', 'src/broken.ts')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('boom'),
    });
    for (const file of ['src/default', 'src/named.ts'])
      expect(await sections('--app', file)).toMatchObject({ code: 0, stdout: expect.stringContaining('widgets') });
    const env = { CORE_INFRA_APP: 'src/none.ts' };
    expect((await workspace.run(['widgets', 'sections'], env)).code).toBe(1);
    expect((await workspace.run(['widgets', 'sections', '--app', 'src/named.ts'], env)).code).toBe(0);
  });

  it('says how to get commands where no package brings any', async () => {
    using empty = new Workspace({ files: { 'package.json': '{ "name": "empty" }' } });
    const { code, stdout, stderr } = await empty.run(['migrate', 'up']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain("unknown command 'migrate up'");
    expect(stderr).toContain('npm install @core-infra/');
    expect((await empty.run([])).code).toBe(0);
  });

  it('asks for an app only when the command does', async () => {
    const { coreInfra: _app, ...manifest } = shop['package.json'];
    using bare = new Workspace({ files: { ...shop, 'package.json': manifest } });
    expect((await bare.run(['widgets', 'order', 'x'])).code).toBe(0);
    expect(await bare.run(['widgets', 'list'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('INFRA_CLI_NO_APP'),
    });
  });

  it('keeps the commands of others when a package is broken, and loads nothing that is not asked for', async () => {
    const dependencies = {
      '@acme/widgets': '*',
      '@acme/broken': '*',
      '@acme/lazy': '*',
      '@acme/esm': '*',
      '@acme/twin': '*',
    };
    const at = (name: string) => `node_modules/@acme/${name}`;
    const loud = `process.stderr.write('lazy was loaded\\n'); exports.commands = [{ usage: 'lazy go', summary: 's', run: async () => {} }];`;
    using crowd = new Workspace({
      files: {
        ...shop,
        'package.json': { ...shop['package.json'], dependencies },
        [`${at('broken')}/package.json`]: { ...widgetsManifest, name: '@acme/broken' },
        [`${at('broken')}/cli.js`]: 'exports.commands = [{ usage: 1 }];',
        [`${at('lazy')}/package.json`]: { ...widgetsManifest, name: '@acme/lazy', coreInfra: { cli: ['lazy'] } },
        [`${at('lazy')}/cli.js`]: loud,
        [`${at('esm')}/package.json`]: {
          name: '@acme/esm',
          type: 'module',
          exports: { './cli': { import: './cli.js' } },
          coreInfra: { cli: ['esm'] },
        },
        [`${at('esm')}/cli.js`]: `export const commands = [{ usage: 'esm', summary: 's', run: async ({ output }) => output.text('from esm') }];`,
        [`${at('twin')}/package.json`]: { ...widgetsManifest, name: '@acme/twin', coreInfra: { cli: ['lazy'] } },
        [`${at('twin')}/cli.js`]: loud,
      },
    });
    const order = await crowd.run(['widgets', 'order', 'x']);
    expect(order).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('The commands of @acme/broken are not there'),
    });
    expect(order.all).not.toContain('lazy was loaded');
    expect((await crowd.run(['esm'])).stdout).toBe('from esm');
    expect(await crowd.run(['lazy', 'go'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('"lazy go" comes from @acme/lazy and from @acme/twin'),
    });
  });

  it('takes the commands that were built with the app, and says so where they were not', async () => {
    const library = {
      'package.json': { name: 'monorepo', devDependencies: { '@acme/widgets': '*' } },
      'libs/widgets/package.json': widgetsManifest,
      'libs/widgets/index.js': widgetsMain,
      'libs/widgets/cli.js': widgetsCli(),
    };
    const built = {
      'dist/libs/widgets/src/index.js': widgetsMain,
      'dist/apps/shop/src/app.module.js': `
        const { Module } = require('@nestjs/common');
        const { KernelModule } = require('@core-infra/kernel');
        const { WidgetsModule } = require('../../../libs/widgets/src/index.js');
        class AppModule {}
        Reflect.decorate([Module({ imports: [KernelModule, WidgetsModule] })], AppModule);
        exports.AppModule = AppModule;`,
    };
    using monorepo = new Workspace({ files: { ...library, ...built } });
    monorepo.link('node_modules/@acme/widgets', `${monorepo.folder}/libs/widgets`);
    const list = () => monorepo.run(['--app', 'dist/apps/shop/src/app.module', 'widgets', 'list']);
    expect(await list()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('INFRA_CLI_BUILT_WITHOUT_COMMANDS'),
    });
    monorepo.write({ 'dist/libs/widgets/src/cli.js': widgetsCli() });
    expect(await list()).toMatchObject({ code: 0, stdout: expect.stringContaining('long-id') });
  });
});
