'use strict';

// `npm start`: finds or starts the servers that the samples use, then runs each sample app as a process of its own, just as
// it would run anywhere else: its built main.js, with addresses in the environment. The apps have been built before.
//   node tools/run.js start [-- --http.port=4000]
//   node tools/run.js start:dev, which is `--watch` here: Nest's CLI compiles and starts the apps anew on every edit

const { spawn } = require('node:child_process');
const { constants } = require('node:os');
const path = require('node:path');
const { startDevServices } = require('@core-infra/testing');
const { guard, modules, root } = require('../runner/paths.js');

const apps = ['orders-api'];

/** npm and a terminal may both deliver one Ctrl-C; an app takes a second signal as "now". In milliseconds. */
const SAME_SIGNAL_MS = 500;

async function main(args) {
  const children = [];
  let asked;
  forwardSignals(signal => {
    asked = signal;
    for (const child of children) child.kill(signal);
  });

  const services = await startDevServices({ project: root });
  try {
    console.log(`\n${services.table()}\n`);
    for (const problem of services.missing) console.error(`${problem.message}\n`);
    if (services.missing.length > 0) return 1;
    if (asked) return 0;
    const codes = apps.map(app => {
      const { child, exit, listening } = startApp(app, args, services.env);
      children.push(child);
      void listening.then(address => console.log(`\n${urls(app, address)}\n`));
      return exit;
    });
    // An app that ends by itself takes the others with it: half a sample is none.
    await Promise.race(codes);
    if (!asked) for (const child of children) child.kill('SIGTERM');
    return Math.max(...(await Promise.all(codes)));
  } finally {
    await services.stop();
    console.log('Stopped. What was entered is kept in .dev-services/.');
  }
}

/** Runs an app outside of the terminal's group, so that a Ctrl-C reaches it once, from here, before its servers go. */
function startApp(app, args, env) {
  const { args: command, env: extra } = args.includes('--watch') ? watched(app) : built(app, args);
  const child = spawn(process.execPath, command, {
    cwd: root,
    env: { ...process.env, ...env, ...extra, CORE_INFRA_RUNNER: String(process.pid) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: process.platform !== 'win32',
  });
  const exit = new Promise(resolve => {
    child.on('error', error => {
      console.error(`${app} could not be started: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : code));
  });
  return { child, exit, listening: new Promise(resolve => child.once('message', resolve)) };
}

function built(app, args) {
  const announce = path.join(__dirname, 'announce.js');
  const file = path.join(root, 'dist', 'apps', app, 'src', 'main.js');
  return { args: ['--require', guard, '--require', announce, file, ...args] };
}

/** Nest's CLI starts the app itself: the guard reaches that through the environment, and a signal only without a shell in between. */
function watched(app) {
  const nest = path.join(modules, '@nestjs', 'cli', 'bin', 'nest.js');
  return {
    args: [nest, 'start', app, '--watch', '--no-shell'],
    env: { NODE_OPTIONS: `--require ./${path.relative(root, guard)}` },
  };
}

function urls(app, { port }) {
  const { API_PREFIX: prefix = '/api/v1', DOCS_URL: docs = '/docs' } = process.env;
  const base = `http://localhost:${port}`;
  const rows = [
    [app, base + prefix],
    ...(docs ? [['its documentation', base + docs]] : []),
    ['its health', `${base}/health`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [...rows.map(([name, url]) => `${name.padEnd(width)}   ${url}`), 'Ctrl-C stops it.'].join('\n');
}

function forwardSignals(forward) {
  const last = new Map();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      const now = Date.now();
      if (now - (last.get(signal) ?? 0) < SAME_SIGNAL_MS) return;
      last.set(signal, now);
      forward(signal);
    });
  }
}

main(process.argv.slice(2)).then(
  code => (process.exitCode = code),
  error => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
