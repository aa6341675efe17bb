'use strict';

const { existsSync, readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');
const { root } = require('../runner/paths.js');

/**
 * The packages under libs/, by name. Each: `name`, `folder` (from the root, with `/`), `manifest`, and `entries`, the
 * subpaths that it exports as TypeScript (`.`, `./cli`), each with its source and declaration file from the root.
 */
function packages() {
  const groups = ['libs', ...foldersIn('libs')];
  const folders = groups
    .flatMap(group => foldersIn(group))
    .filter(folder => existsSync(path.join(root, folder, 'package.json')));
  return folders
    .map(folder => {
      const manifest = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
      return { name: manifest.name, folder, manifest, entries: entriesOf(folder, manifest) };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function entriesOf(folder, manifest) {
  return Object.entries(manifest.exports ?? {})
    .filter(([, target]) => typeof target === 'object' && target['core-infra-source'])
    .map(([subpath, target]) => ({
      subpath,
      source: path.posix.join(folder, target['core-infra-source']),
      types: path.posix.join(folder, target.types),
      output: path.posix.join(folder, target.default),
    }));
}

function foldersIn(folder) {
  return readdirSync(path.join(root, folder), { withFileTypes: true })
    .filter(entry => entry.isDirectory() && entry.name !== 'node_modules')
    .map(entry => `${folder}/${entry.name}`);
}

module.exports = { packages };
