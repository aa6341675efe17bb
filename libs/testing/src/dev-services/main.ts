import { startDevServices } from './dev-services.js';

/** `npm run dev:services`: the project's servers, until Ctrl-C. */
async function main(): Promise<void> {
  // From the first moment on, so that a Ctrl-C during the start ends what has been started.
  const ended = new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  const services = await startDevServices({ optional: 'start' });
  console.log(`${services.table()}\n`);
  for (const problem of services.missing) console.error(`${problem.message}\n`);
  if (services.running.length === 0) {
    process.exitCode = 1;
    return;
  }
  console.log('To use them, copy this into the shell or into .env:');
  for (const [variable, url] of Object.entries(services.env)) console.log(`${variable}=${url}`);
  console.log('\nRunning; Ctrl-C stops what nobody else uses and keeps the data.');
  // Signals and leases do not keep a process alive.
  const alive = setInterval(() => undefined, 60_000);
  await ended;
  clearInterval(alive);
  await services.stop();
  console.log('Stopped.');
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
