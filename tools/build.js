'use strict';

// Builds each package of libs/ to its own dist/ (CommonJS and declarations) with `tsc -b`, and each app with Nest's CLI.
// The project files that `tsc -b` wants are derived: the references from what the sources import, the rest from
// tsconfig.json. So a new package is built without a word about it anywhere.
//   node tools/build.js [libs | <app>] [--clean]

const { execFileSync, spawnSync } = require('node:child_process');
const { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { packages } = require('./lib/packages.js');
const { modules, root } = require('./runner/paths.js');

const cache = path.join(modules, '.cache', 'core-infra', 'build');

function main(args) {
  const wanted = args.find(arg => !arg.startsWith('-'));
  if (args.includes('--clean'))
    for (const folder of [...packages().map(lib => lib.folder), '.']) remove(path.join(root, folder, 'dist'));
  if (!wanted || wanted === 'libs') buildLibs(packages().filter(lib => existsSync(path.join(root, lib.folder, 'src'))));
  const apps = wanted ? [wanted].filter(app => app !== 'libs') : appsWithSources();
  for (const app of apps)
    execFileSync(process.execPath, ['node_modules/@nestjs/cli/bin/nest.js', 'build', app], {
      cwd: root,
      stdio: 'inherit',
    });
}

function buildLibs(libs) {
  mkdirSync(cache, { recursive: true });
  const byName = new Map(libs.map(lib => [lib.name, lib]));
  for (const lib of libs) {
    // Its own record says that all is up to date; it does not look whether the output is still there.
    if (lib.entries.some(({ output }) => !existsSync(path.join(root, output)))) remove(`${configOf(lib)}.tsbuildinfo`);
    const references = importsOf(lib).flatMap(name =>
      byName.has(name) && name !== lib.name ? [byName.get(name)] : [],
    );
    writeIfChanged(configOf(lib), JSON.stringify(projectOf(lib, references), null, 2));
  }
  const result = spawnSync(process.execPath, [path.join(modules, 'typescript/bin/tsc'), '-b', ...libs.map(configOf)], {
    cwd: root,
    stdio: 'inherit',
  });
  if (result.status !== 0) throw new BuildFailed();
}

function projectOf(lib, references) {
  const folder = path.join(root, lib.folder);
  return {
    extends: path.join(root, 'tsconfig.json'),
    compilerOptions: {
      composite: true,
      noEmit: false,
      // Through each package's `exports`, as a user of the packages gets them; `references` leads from there to sources.
      paths: {},
      typeRoots: [path.join(modules, '@types')],
      rootDir: path.join(folder, 'src'),
      outDir: path.join(folder, 'dist'),
      tsBuildInfoFile: `${configOf(lib)}.tsbuildinfo`,
      inlineSources: true,
    },
    include: [path.join(folder, 'src')],
    references: references.map(reference => ({ path: configOf(reference) })),
  };
}

function importsOf(lib) {
  const names = new Set();
  for (const entry of readdirSync(path.join(root, lib.folder, 'src'), { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.ts')) continue;
    const text = readFileSync(path.join(entry.parentPath, entry.name), 'utf8');
    for (const [, name] of text.matchAll(/['"](@core-infra\/[a-z0-9-]+)(?:\/[a-z0-9-]+)*['"]/g)) names.add(name);
  }
  return [...names].toSorted((a, b) => a.localeCompare(b));
}

function appsWithSources() {
  return Object.entries(JSON.parse(readFileSync(path.join(root, 'nest-cli.json'), 'utf8')).projects)
    .filter(
      ([, { type, sourceRoot, entryFile = 'main' }]) =>
        type === 'application' && existsSync(path.join(root, sourceRoot, `${entryFile}.ts`)),
    )
    .map(([name]) => name);
}

const configOf = lib => path.join(cache, `${path.basename(lib.name)}.json`);
const remove = target => rmSync(target, { recursive: true, force: true });

/** tsc builds anew what depends on a project file that is newer than its output. */
function writeIfChanged(file, content) {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== content) writeFileSync(file, content);
}

class BuildFailed extends Error {}

try {
  main(process.argv.slice(2));
} catch (error) {
  // tsc and nest have said what is wrong.
  if (!(error instanceof BuildFailed) && error.status === undefined) throw error;
  process.exitCode = 1;
}
