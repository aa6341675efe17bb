'use strict';

const { spawnSync } = require('node:child_process');
const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');
const { modules, node, root } = require('./paths.js');

/** Brings node_modules to what package-lock.json says. Returns the one line to print if that cannot be had. */
function ensureInstalled() {
  const reason = whyNotInstalled();
  if (reason) {
    console.error(`${reason}: running npm ci`);
    const problem = npmCi();
    if (problem) return problem;
  }
  if (existsSync(node)) return undefined;
  return 'The Node of this project is not installed, because npm was told to skip install scripts. Run: npm ci --ignore-scripts=false';
}

function whyNotInstalled() {
  const installed = readLock(path.join(modules, '.package-lock.json'));
  // npm writes this file last, so it is also missing after an install that was interrupted.
  if (!installed) return 'Dependencies are not installed';
  const wanted = readLock(path.join(root, 'package-lock.json'));
  const stale = Object.entries(wanted ?? {}).some(([key, entry]) => isStale(entry, key, installed[key]));
  return stale ? 'Dependencies differ from package-lock.json' : undefined;
}

/** By content rather than by date: a branch switched there and back must not install anew. */
function isStale(wanted, key, installed) {
  if (key === '' || wanted.optional || wanted.peer) return false;
  if (!installed) return true;
  return installed.version !== wanted.version || (wanted.link === true && installed.resolved !== wanted.resolved);
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined; // missing, or cut off half-way: either way there is nothing to rely on
  }
}

function npmCi() {
  const env = { ...process.env };
  // `npm test -w <package>` hands its own scope down; the installation is of the whole workspace.
  for (const key of Object.keys(env))
    if (/^npm_config_(workspace|workspaces|include_workspace_root)$/i.test(key)) delete env[key];
  // Only errors: npm would warn that the host's Node, on which nothing else runs, is older than `engines` of some want.
  const args = ['ci', '--include=dev', '--include=optional', '--loglevel=error'];
  const cli = env.npm_execpath;
  const viaCli = cli && /npm-cli\.[cm]?js$/.test(cli);
  const result = viaCli
    ? spawnSync(process.execPath, [cli, ...args], { cwd: root, env, stdio: 'inherit' })
    : spawnSync('npm', args, { cwd: root, env, stdio: 'inherit', shell: process.platform === 'win32' });
  if (result.error)
    return `npm could not be started (${result.error.code}). Install Node with npm from https://nodejs.org, then run: npm ci`;
  if (result.status === 0) return undefined;
  return 'npm could not install the dependencies (its own message is above). Check `npm ping` and that this folder is writable, then run: npm ci';
}

module.exports = { ensureInstalled };
