'use strict';

const { spawn } = require('node:child_process');
const { constants } = require('node:os');
const path = require('node:path');
const { bin, node, root } = require('./paths.js');

/** npm and a terminal may both deliver one Ctrl-C; the child takes a second signal as "now". In milliseconds. */
const SAME_SIGNAL_MS = 500;

/** Runs one step on the project's Node and resolves with its exit code: 128 + n after signal n, as a shell has it. */
function run({ args, env, untilParentDies = false }) {
  return new Promise(resolve => {
    const guarded = untilParentDies ? ['--require', path.join(__dirname, 'parent-guard.js'), ...args] : args;
    const child = spawn(node, guarded, {
      cwd: root,
      env: {
        ...process.env,
        ...env,
        PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}`,
        ...guardEnv(untilParentDies),
      },
      stdio: untilParentDies ? ['inherit', 'inherit', 'inherit', 'pipe'] : 'inherit',
    });
    const stopForwarding = forwardSignals(child);
    const kill = () => child.kill('SIGKILL');
    process.on('exit', kill);
    const done = code => {
      stopForwarding();
      process.off('exit', kill);
      resolve(code);
    };
    child.on('error', error => {
      console.error(`${node} could not be started (${error.code}). Run: npm ci --ignore-scripts=false`);
      done(1);
    });
    child.on('exit', (code, signal) => done(signal ? 128 + constants.signals[signal] : code));
  });
}

function guardEnv(on) {
  return on ? { CORE_INFRA_PARENT: String(process.pid) } : {};
}

function forwardSignals(child) {
  const last = new Map();
  const fromTerminal = [process.stdin, process.stdout, process.stderr].some(stream => stream.isTTY);
  const forward = signal => {
    // A terminal sends Ctrl-C to the whole foreground group, so the child has this one already.
    if (signal === 'SIGINT' && fromTerminal) return;
    const now = Date.now();
    if (now - (last.get(signal) ?? 0) < SAME_SIGNAL_MS) return;
    last.set(signal, now);
    child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  return () => {
    for (const signal of signals) process.off(signal, forward);
  };
}

module.exports = { run };
