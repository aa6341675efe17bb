import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runChild, uniqueName } from '@core-infra/testing';

const repository = join(__dirname, '..', '..', '..');
const source = join(__dirname, 'fixtures', 'built-app');
/** Inside of the repository, so that what is built there finds its dependencies. */
const folder = join(repository, 'node_modules', '.cache', 'core-infra', uniqueName('cli'));
const dist = join(folder, 'dist');

/** As an app's own tsconfig.app.json says it in docs/cli.md. */
const tsconfig = {
  extends: join(repository, 'tsconfig.json'),
  compilerOptions: { noEmit: false, declaration: false, types: ['node'], rootDir: repository, outDir: dist },
  include: [source, join(repository, 'libs/**/src/cli.ts')],
  exclude: [],
};

describe('an app built by nest build, with its own copies of the libraries', () => {
  beforeAll(() => {
    mkdirSync(folder, { recursive: true });
    const project = join(folder, 'tsconfig.json');
    writeFileSync(project, JSON.stringify(tsconfig));
    const nest = join(repository, 'node_modules/@nestjs/cli/bin/nest.js');
    execFileSync(process.execPath, [nest, 'build', 'orders-api', '-p', relative(repository, project)], {
      cwd: repository,
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = async (...args: string[]) => {
    const app = join(dist, relative(repository, source), 'app.module.js');
    const child = runChild(join(repository, 'libs/cli/src/bin.ts'), { args: ['--app', app, ...args], cwd: folder });
    const { code } = await child.exit;
    return { code, stdout: child.stdout.join('\n'), all: child.lines.join('\n') };
  };

  it('is seen by commands that were built with it: instanceof holds', async () => {
    const { code, stdout } = await run('config', 'print', '--json');
    // The sections are found by `instanceof SectionDeclaration`.
    const keys = (JSON.parse(stdout) as { key: string }[]).map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining(['app.name', 'health.deadlineMs']));
    expect(code).toBe(0);
  });

  it('refuses commands of another copy, and says how to build them along', async () => {
    rmSync(join(dist, 'libs/foundation/config/src/cli.js'));
    const { code, all } = await run('config', 'print');
    expect(code).toBe(1);
    expect(all).toMatch(/INFRA_CLI_BUILT_WITHOUT_COMMANDS/);
    expect(all).toMatch(/libs\/\*\*\/src\/cli\.ts/);
  });
});
