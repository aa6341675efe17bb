/** `node --require @core-infra/testing/report-loaded app.js`: prints, at its end, the packages that were loaded. */
'use strict';
const { readFileSync, writeSync } = require('node:fs');
const { registerHooks } = require('node:module');
const { dirname, join } = require('node:path');
const { fileURLToPath } = require('node:url');

const files = new Set();
const names = new Map();

registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) files.add(fileURLToPath(url));
    return next(url, context);
  },
});

/** The name in the nearest package.json that has one. */
function packageOf(folder) {
  if (!names.has(folder))
    names.set(folder, nameIn(folder) ?? (dirname(folder) === folder ? undefined : packageOf(dirname(folder))));
  return names.get(folder);
}

function nameIn(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(error.code)) return undefined;
    throw error;
  }
}

process.on('exit', () => {
  // What a hook of `require` compiled is only in its cache; what was imported is only in the list above.
  const loaded = [...files, ...Object.keys(require.cache)].filter(file => file !== __filename);
  const packages = [...new Set(loaded.map(file => packageOf(dirname(file))))].filter(name => name !== undefined);
  // Synchronous: a pipe that is written to at exit would not be flushed otherwise.
  writeSync(1, `${JSON.stringify({ loadedPackages: packages })}\n`);
});
