'use strict';

// Preloaded into long-running tasks, and into the app that Nest's watcher starts: when tools/run.js is gone, however it
// went, this process stops as if it had been asked to. Nest leaves its app running when it is killed, and nobody can pass
// on a signal after `kill -9`.

const LOOK_EVERY_MS = 500;
const runner = Number(process.env.CORE_INFRA_RUNNER);

if (runner > 0) {
  const timer = setInterval(() => {
    try {
      process.kill(runner, 0);
    } catch {
      clearInterval(timer);
      process.kill(process.pid, 'SIGTERM');
    }
  }, LOOK_EVERY_MS);
  timer.unref();
}
