'use strict';

// docs/events: what the samples' events look like, written by the commands that any app has for it: a JSON Schema of the data of
// each version, and an AsyncAPI document of each app.

const { execFile } = require('node:child_process');
const { mkdtempSync, readdirSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');
const { root } = require('../runner/paths.js');
const { apps } = require('../start/apps.js');

const folder = 'docs/events';

async function run() {
  const out = mkdtempSync(path.join(tmpdir(), 'core-infra-docs-events-'));
  try {
    for (const { name } of apps) {
      // One after the other, as both describe some of the events.
      await command(name, 'schemas', '--out', out);
      await command(name, 'asyncapi', '--out', path.join(out, `${name}.asyncapi.json`));
    }
    return Object.fromEntries(
      readdirSync(out)
        .sort()
        .map(file => [`${folder}/${file}`, readFileSync(path.join(out, file), 'utf8')]),
    );
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** Where the app's package.json says its name; and in an environment that says nothing, as that could have topics of its own. */
async function command(app, ...args) {
  const cli = path.join(root, 'libs', 'cli', 'bin', 'core-infra.cjs');
  const env = Object.fromEntries(['PATH', 'SystemRoot', 'TEMP', 'TMP'].map(name => [name, process.env[name]]));
  await promisify(execFile)(process.execPath, [cli, '--app', 'src/app.module.ts', 'events', ...args], {
    cwd: path.join(root, 'apps', app),
    env,
  });
}

module.exports = { name: 'events', folder, run };
