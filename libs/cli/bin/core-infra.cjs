#!/usr/bin/env node
'use strict';

// What is published is built. In the repository itself the command also runs from its sources: before anything is built,
// and for an app that is given as TypeScript, which must share the sources of the libraries with the commands.

const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const path = require('node:path');

const built = path.join(__dirname, '..', 'dist', 'bin.js');
const source = path.join(__dirname, '..', 'src', 'bin.ts');
const wantsSource = [...process.argv.slice(2), process.env.CORE_INFRA_APP ?? ''].some(arg => arg.endsWith('.ts'));

if (!existsSync(source) || (existsSync(built) && !wantsSource)) {
  require(built);
} else {
  const hook = require.resolve('@core-infra/testing/register');
  const node = ['--conditions=core-infra-source', '--require', hook, source, ...process.argv.slice(2)];
  const { status, signal, error } = spawnSync(process.execPath, node, { stdio: 'inherit' });
  if (error) throw error;
  if (signal) process.kill(process.pid, signal);
  process.exitCode = status ?? 1;
}
