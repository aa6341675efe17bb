'use strict';

const { spawn } = require('node:child_process');
const { mkdirSync, rmSync, writeFileSync } = require('node:fs');
const { constants } = require('node:os');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { guard, modules, root } = require('../runner/paths.js');
const { home } = require('./home.js');

/** How long an app that was ended by something stays away, in milliseconds. */
const BACK_AFTER_MS = 3_000;

/** An app as a process of its own, just as it would run anywhere else. When it is killed, it is told and started again, as an orchestrator would. */
class AppProcess {
  /**
   * @param app its name
   * @param place its arguments and its environment
   * @param site `print(line)` for what it writes, `tell(line)` for what is to be said of it
   */
  constructor(app, place, site) {
    this.app = app;
    this.place = place;
    this.site = site;
    this.isAsked = false;
    this.listening = new Promise(resolve => (this.resolveListening = resolve));
  }

  /** Resolves with the exit code once it has ended for good: when it was asked to, or has never listened. */
  async run() {
    for (;;) {
      const { code, signal, hasListened } = await this.once();
      if (this.isAsked || !hasListened) return signal ? 128 + constants.signals[signal] : code;
      this.site.tell(
        `${this.app} was ended ${signal ? `by ${signal}` : `with code ${code}`}; it starts again in ${BACK_AFTER_MS / 1_000} s.`,
      );
      await new Promise(resolve => {
        const timer = setTimeout(resolve, BACK_AFTER_MS);
        this.hurry = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (this.isAsked) return 0;
    }
  }

  /** Asks it to end, and not to come back. */
  stop(signal) {
    this.isAsked = true;
    this.child?.kill(signal);
    this.hurry?.();
  }

  samePort() {
    if (!this.address) return {};
    return { HTTP_PORT: String(this.address.port), APP_PORT: undefined, SERVER_PORT: undefined, PORT: undefined };
  }

  once() {
    const { args, env, isWatched } = this.place;
    const command = isWatched ? watched(this.app) : built(this.app, args);
    // Outside of the terminal's group, so that a Ctrl-C reaches it once, from here, before its servers go.
    const child = spawn(process.execPath, command.args, {
      cwd: root,
      // Whoever had its address finds it there again.
      env: { ...env, ...command.env, ...this.samePort(), CORE_INFRA_RUNNER: String(process.pid) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: process.platform !== 'win32',
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', this.site.print);
    const forget = isWatched ? () => undefined : notePid(this.app, child.pid);
    let hasListened = false;
    child.once('message', address => {
      if (this.address) this.site.tell(`${this.app} is back.`);
      hasListened = true;
      this.address = address;
      this.resolveListening(address);
    });
    return new Promise(resolve => {
      child.on('error', error => {
        this.site.tell(`${this.app} could not be started: ${error.message}`);
        resolve({ code: 1, signal: null, hasListened: false });
      });
      child.on('close', (code, signal) => {
        forget();
        resolve({ code, signal, hasListened });
      });
    });
  }
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
    args: [nest, 'start', app, '--watch', '--no-shell', '--preserveWatchOutput'],
    env: { NODE_OPTIONS: `--require ./${path.relative(root, guard)}` },
  };
}

/** For whoever wants to kill it: `kill -9 $(cat .dev-services/<app>.pid)`. */
function notePid(app, pid) {
  const file = path.join(home, '.dev-services', `${app}.pid`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${pid}\n`);
  return () => rmSync(file, { force: true });
}

module.exports = { AppProcess };
