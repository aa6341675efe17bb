/** `node --require @core-infra/testing/report-loaded app.js`: prints, at its end, the packages that were loaded. */
'use strict';
const { registerHooks } = require('node:module');
const { writeSync } = require('node:fs');

const packages = new Set();

registerHooks({
  load(url, context, next) {
    const path = /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(url);
    const workspace =
      /[\\/]libs[\\/](?:foundation[\\/]|connections[\\/]|capabilities[\\/])?([^\\/]+)[\\/](?:src|dist)[\\/]/.exec(url);
    if (path) packages.add(path[1].replaceAll('\\', '/'));
    else if (workspace) packages.add(`@core-infra/${workspace[1]}`);
    return next(url, context);
  },
});

// Synchronous: a pipe that is written to at exit would not be flushed otherwise.
process.on('exit', () => writeSync(1, `${JSON.stringify({ loadedPackages: [...packages].sort() })}\n`));
