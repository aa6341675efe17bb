'use strict';

// Preloaded into long-running tasks: the runner holds the other end of descriptor 3, so when it is killed outright the
// pipe ends, and this process stops as if it had been asked to. Processes started from here inherit the option (Jest's
// workers, for one) but not the pipe, hence the look at who the parent is.

const net = require('node:net');

if (process.env.CORE_INFRA_PARENT === String(process.ppid)) {
  const pipe = new net.Socket({ fd: 3, readable: true, writable: false });
  pipe.on('error', () => pipe.destroy());
  pipe.on('close', () => process.kill(process.pid, 'SIGTERM'));
  pipe.resume();
  pipe.unref();
}
