'use strict';

// Runs the named checks, or all of them, and says how long each took: npm run check [-- name ...].

const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const path = require('node:path');
const { root } = require('./runner/paths.js');

const cruise = ['node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', '--config', '.dependency-cruiser.cjs'];
const loaded = ['--conditions=core-infra-source', '-r', './libs/testing/register.cjs'];

/** What follows `node` on the command line. */
const checks = {
  boundary: [...cruise, ...['libs', 'apps', 'test', 'bench'].filter(folder => existsSync(path.join(root, folder)))],
  knip: ['node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'],
  generated: [...loaded, 'tools/generate.js', '--check'],
  compose: ['tools/check/compose.js'],
  snippets: ['tools/check/snippets.js'],
  packages: ['tools/check/packages.js'],
};

function main(names) {
  const unknown = names.filter(name => !Object.hasOwn(checks, name));
  if (unknown.length > 0)
    throw new Error(`There is no check ${unknown.join(', ')}. There are: ${Object.keys(checks).join(', ')}.`);
  const failed = (names.length === 0 ? Object.keys(checks) : names).filter(name => !passes(name));
  if (failed.length === 0) return;
  console.error(`Failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}

function passes(name) {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, checks[name], { cwd: root, stdio: 'inherit' });
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  return status === 0;
}

main(process.argv.slice(2));
