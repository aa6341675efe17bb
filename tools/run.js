'use strict';

// What every npm script goes through: `node tools/run.js <task> [arguments]`.
// Plain CommonJS without a dependency, because it runs before anything is installed, on whatever Node the host has.
// Only this file is parsed by a Node that is too old, so its syntax stays that of Node 6.

const OLDEST_HOST = 20;

if (Number(process.versions.node.split('.')[0]) < OLDEST_HOST) {
  console.error(
    'Node ' +
      process.versions.node +
      ' is too old: install Node ' +
      OLDEST_HOST +
      ' or newer (https://nodejs.org), then run this again.',
  );
  process.exitCode = 1;
} else {
  void require('./runner/main.js').main(process.argv[2], process.argv.slice(3));
}
