'use strict';

// Preloaded into an app that `npm start` runs: tells the starter where the app listens, which only the app knows.

const { channel } = require('node:diagnostics_channel');

channel('tracing:net.server.listen:asyncEnd').subscribe(({ server }) => {
  const address = server.address();
  if (process.connected && address && typeof address === 'object') process.send(address);
});
