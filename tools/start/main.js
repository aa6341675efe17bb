'use strict';

// `npm start`: finds or starts the servers that the samples use, then runs each sample app as a process of its own, just as
// it would run anywhere else: its built main.js, with addresses in the environment. The apps have been built before.
//   node tools/run.js start [-- --http.port=4000]
//   node tools/run.js start:dev, which is `--watch` here: Nest's CLI compiles and starts the apps anew on every edit

const { mkdirSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { startDevServices } = require('@core-infra/testing');
const { home } = require('./home.js');
const { apps, placeOf } = require('./apps.js');
const { AppProcess } = require('./process.js');

/** npm and a terminal may both deliver one Ctrl-C; an app takes a second signal as "now". In milliseconds. */
const SAME_SIGNAL_MS = 500;

async function main(args) {
  const processes = [];
  let asked;
  forwardSignals(signal => {
    asked = signal;
    for (const running of processes) running.stop(signal);
  });

  const services = await startDevServices({ project: home });
  try {
    console.log(`\n${services.table()}\n`);
    for (const problem of services.missing) console.error(`${problem.message}\n`);
    if (services.missing.length > 0) return 1;
    if (asked) return 0;
    noteAddresses(services.running);
    processes.push(...apps.map(app => processOf(app, args, { ...process.env, ...services.env })));
    const codes = processes.map(running => running.run());
    void Promise.all(processes.map(({ listening }) => listening)).then(() => console.log(`\n${urls(processes)}\n`));
    // An app that cannot boot takes the others with it: half a sample is none.
    await Promise.race(codes);
    if (!asked) for (const running of processes) running.stop('SIGTERM');
    return Math.max(...(await Promise.all(codes)));
  } finally {
    await services.stop();
    console.log('Stopped. What was entered is kept in .dev-services/.');
  }
}

function processOf(app, args, env) {
  const place = placeOf(
    app,
    args.filter(arg => arg !== '--watch'),
    env,
  );
  const width = Math.max(...apps.map(({ name }) => name.length));
  // An app that writes into a pipe takes nobody to be reading.
  const format = process.stdout.isTTY && !env.LOGGING_FORMAT ? { LOGGING_FORMAT: 'text' } : {};
  return new AppProcess(
    app.name,
    { args: place.args, env: { ...place.env, ...format }, isWatched: args.includes('--watch') },
    {
      print: line => console.log(`${app.name.padEnd(width)} | ${line}`),
      tell: line => console.log(`\n${line}\n`),
    },
  );
}

/** Commands of another terminal find the servers that were started here by this: `. .dev-services/env.sh`. */
function noteAddresses(running) {
  const own = running.filter(({ resolution }) => resolution !== 'environment');
  const lines = own.map(({ variable, url }) => `export ${variable}='${url}'\n`);
  mkdirSync(path.join(home, '.dev-services'), { recursive: true });
  writeFileSync(path.join(home, '.dev-services', 'env.sh'), lines.join(''), { mode: 0o600 });
}

function urls(processes) {
  const { API_PREFIX: prefix = '/api/v1', DOCS_URL: docs = '/docs' } = process.env;
  const rows = processes.flatMap(({ app, address: { port } }) => {
    const base = `http://localhost:${port}`;
    return [
      [app, base + prefix],
      ...(docs ? [['its documentation', base + docs]] : []),
      ['its health', `${base}/health`],
    ];
  });
  const width = Math.max(...rows.map(([name]) => name.length));
  return [...rows.map(([name, url]) => `${name.padEnd(width)}   ${url}`), 'Ctrl-C stops them.'].join('\n');
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
