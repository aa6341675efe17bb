'use strict';

// What npm would publish of each package, built: all that its package.json promises is in it, nothing of its specs, and
// it imports only what it declares. In the workspace an undeclared package is found all the same; outside of it, not.

const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { isBuiltin } = require('node:module');
const path = require('node:path');
const { packages } = require('../lib/packages.js');
const { root } = require('../runner/paths.js');

const IMPORT = /(?:\bfrom|\brequire\(|\bimport\(?)\s*(['"])(?<name>[^'".\s][^'"\s]*)\1/g;

/** What is wrong with a package, given the files that it is published with and a way to read them; a line for each. */
function problemsOf(manifest, files, read) {
  const published = new Set(files);
  const promised = ['README.md', 'LICENSE', ...targets(manifest.exports), ...targets(manifest.bin)];
  const declared = new Set(
    [manifest.dependencies, manifest.peerDependencies, { [manifest.name]: '' }].flatMap(list =>
      Object.keys(list ?? {}),
    ),
  );
  const imports = files
    .filter(file => /\.(?:c?js|d\.ts)$/.test(file))
    .flatMap(file => [...withoutComments(read(file)).matchAll(IMPORT)].map(({ groups }) => packageOf(groups.name)));
  return [
    ...promised.filter(file => !published.has(file)).map(file => `${file} is not published`),
    ...files.filter(file => /\.spec\.|^test\/|\.tsbuildinfo$/.test(file)).map(file => `${file} is published`),
    ...[...new Set(imports)]
      .filter(name => !isBuiltin(name) && !declared.has(name))
      .map(name => `${name} is imported, and not among its dependencies`),
  ];
}

/** The files that an `exports` or `bin` leads to; the sources are for this workspace alone. */
function targets(entry) {
  if (typeof entry === 'string') return [path.posix.normalize(entry)];
  return Object.entries(entry ?? {}).flatMap(([key, value]) => (key === 'core-infra-source' ? [] : targets(value)));
}

const packageOf = specifier => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
const withoutComments = text => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');

function main() {
  execFileSync(process.execPath, ['tools/build.js', 'libs'], { cwd: root, stdio: 'inherit' });
  for (const { name, folder, manifest } of packages()) {
    const cwd = path.join(root, folder);
    const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'], {
      cwd,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    });
    const [{ files }] = Object.values(JSON.parse(packed));
    const read = file => readFileSync(path.join(cwd, file), 'utf8');
    for (const problem of problemsOf(
      manifest,
      files.map(file => file.path),
      read,
    )) {
      console.error(`${name}: ${problem}`);
      process.exitCode = 1;
    }
  }
}

if (require.main === module) main();

module.exports = { problemsOf };
