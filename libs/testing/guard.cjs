/**
 * The guard of one server: a detached process that owns the server and outlives whoever asked for it, so that nothing is
 * left behind when that process is killed with -9. Plain JavaScript without dependencies: it runs as it is, next to
 * `src/` and next to `dist/`.
 *
 * A lease is an open connection to the guard's socket (or, until the starter has connected, its end of stdin): the kernel
 * closes both when a process dies, in whatever way. When the last lease is gone for `lingerMs`, the guard stops the
 * server, runs the clean-up command, removes the folder (unless the data is to be kept) and ends.
 *
 * Usage: node guard.cjs <folder with guard.json>. Speaks one JSON object per line: { id, do, ... } -> { id, ok | error }.
 */
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:net');
const { join } = require('node:path');
const { createInterface } = require('node:readline');

const folder = process.argv[2];
const stateFile = join(folder, 'guard.json');
const config = JSON.parse(readFileSync(stateFile, 'utf8'));
const leases = new Set();
const sockets = new Set();
const errands = new Set();
let server;
let ending;
let lingering;

function save(serverPid) {
  writeFileSync(`${stateFile}.new`, JSON.stringify({ ...config, guardPid: process.pid, serverPid }), { mode: 0o600 });
  renameSync(`${stateFile}.new`, stateFile);
}

function launch({ command, args, env, user }) {
  const log = openSync(join(folder, 'server.log'), 'a', 0o600);
  try {
    return spawn(command, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
      windowsHide: true,
      // A group of its own: a Ctrl-C in the terminal is for the people who use the server, not for the server.
      detached: process.platform !== 'win32',
      ...user,
    });
  } finally {
    closeSync(log);
  }
}

const exited = child =>
  (child.gone ??= new Promise(resolve => child.once('close', (code, signal) => resolve({ code, signal }))));
const spawned = child => new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
const isRunning = child => child !== undefined && child.exitCode === null && child.signalCode === null;

async function stop(signal, timeoutMs) {
  if (!isRunning(server)) return;
  const child = server;
  child.kill(signal);
  const killer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await exited(child);
  clearTimeout(killer);
}

const actions = {
  async run(request) {
    const child = launch(request);
    const gone = exited(child);
    errands.add(child);
    try {
      await spawned(child);
      return await gone;
    } finally {
      errands.delete(child);
    }
  },
  async start(request) {
    if (isRunning(server)) throw new Error('the server is running already');
    const child = launch(request);
    const gone = exited(child);
    await spawned(child);
    server = child;
    save(child.pid);
    void gone.then(() => {
      if (server === child && !ending) save(undefined);
    });
    return { pid: child.pid };
  },
  async stop({ signal, timeoutMs }) {
    await stop(signal, timeoutMs);
  },
  async kill({ signal }) {
    if (!isRunning(server)) return;
    server.kill(signal);
    if (signal === 'SIGKILL') await exited(server);
  },
  async state() {
    return { running: isRunning(server), pid: isRunning(server) ? server.pid : undefined };
  },
  async end() {
    await end();
  },
  async leave(_, lease) {
    // Who leaves on purpose waits for the end of what nobody else uses; only the others get the time to linger.
    leases.delete(lease);
    if (leases.size === 0) await end();
  },
};

async function answer(lease, line) {
  const request = JSON.parse(line);
  let reply;
  try {
    reply = { id: request.id, ok: (await actions[request.do](request, lease)) ?? {} };
  } catch (error) {
    reply = { id: request.id, error: error.message };
  }
  if (lease.writable) lease.write(`${JSON.stringify(reply)}\n`);
}

function hold(lease) {
  clearTimeout(lingering);
  leases.add(lease);
  const release = () => {
    if (!leases.delete(lease) || leases.size > 0) return;
    lingering = setTimeout(() => void end(), config.lingerMs);
  };
  lease.on('end', release).on('close', release).on('error', release);
}

function end() {
  return (ending ??= (async () => {
    listener.close();
    for (const errand of errands) errand.kill('SIGKILL');
    await stop(config.endSignal, config.endTimeoutMs);
    if (config.cleanUp) spawnSync(config.cleanUp[0], config.cleanUp.slice(1), { stdio: 'ignore' });
    rmSync(config.socket, { force: true });
    if (config.keepData) rmSync(stateFile, { force: true });
    // What a killed server's children still write while they notice is the reason for the retries.
    else rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    for (const socket of sockets) socket.destroy();
    process.stdin.destroy();
    for (const child of [server, ...errands]) child?.unref();
  })());
}

const listener = createServer(socket => {
  if (ending) return void socket.destroy();
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  hold(socket);
  createInterface({ input: socket })
    .on('line', line => void answer(socket, line))
    .on('error', () => socket.destroy());
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end());
listener.listen(config.socket, () => {
  hold(process.stdin);
  process.stdin.resume();
  save(undefined);
  process.stdout.write('listening\n');
});
