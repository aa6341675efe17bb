'use strict';

const path = require('node:path');

const root = path.resolve(__dirname, '../..');
const modules = path.join(root, 'node_modules');

module.exports = {
  root,
  modules,
  bin: path.join(modules, '.bin'),
  guard: path.join(__dirname, 'parent-guard.js'),
  /** The Node that is a dev dependency: everything runs on it, whatever the host has. */
  node: path.join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node'),
};
