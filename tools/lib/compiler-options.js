'use strict';

const path = require('node:path');
const ts = require('typescript');
const { root } = require('../runner/paths.js');

/** The compiler options of tsconfig.json, as TypeScript's API takes them, with `changes` on top. */
function compilerOptions(changes) {
  const file = path.join(root, 'tsconfig.json');
  const { config } = ts.readConfigFile(file, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root, undefined, file);
  return { ...options, ...changes };
}

module.exports = { compilerOptions };
