'use strict';

const { spawn } = require('node:child_process');
const { constants } = require('node:os');
const path = require('node:path');
const { bin, guard, node, root } = require('./paths.js');

/** npm and a terminal may both deliver one Ctrl-C; the child takes a second signal as "now". In milliseconds. */
const SAME_SIGNAL_MS = 500;
const LOOK_EVERY_MS = 500;

/**
 * Runs one step on the project's Node and resolves with its exit code: 128 + n after signal n, as a shell has it.
 * `stay` is for what runs until it is stopped: it does not outlive this process.
 */
function run({ args, env, stay = false }) {
  return new Promise(resolve => {
    const child = spawn(node, stay ? ['--require', guard, ...args] : args, {
      cwd: root,
      env: {
        ...process.env,
        ...env,
        PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}`,
        CORE_INFRA_RUNNER: String(process.pid),
      },
      stdio: 'inherit',
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
  const watch = onShellGone(() => forward('SIGTERM'));
  return () => {
    clearInterval(watch);
    for (const signal of signals) process.off(signal, forward);
  };
}

/** npm passes a SIGTERM on to the shell that it runs scripts in, which dies of it and tells nobody. */
function onShellGone(stop) {
  const shell = process.ppid;
  if (!process.env.npm_lifecycle_event) return undefined;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    stop();
  }, LOOK_EVERY_MS);
  return timer;
}

module.exports = { run };
