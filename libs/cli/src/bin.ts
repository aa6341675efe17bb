import { constants } from 'node:os';
import { runCli } from './run-cli.js';

/** Says to whatever is loaded from here on that stdout belongs to the result of a command. */
process.env['CORE_INFRA_CLI'] = '1';

const stop = new AbortController();
/** How long a command may take to give up once it was told to, in milliseconds. */
const graceMs = 10_000;

/** What the result goes through; everything else that is written to stdout (by the app, its libraries) is turned to stderr. */
const out = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    const code = 128 + constants.signals[signal];
    if (stop.signal.aborted) process.exit(code); // asked twice: now
    process.exitCode = code;
    stop.abort();
    setTimeout(() => process.exit(code), graceMs).unref();
  });
}
// The reader of a pipe (head, less) may have seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

void runCli({
  argv: process.argv.slice(2),
  cwd: process.cwd(),
  env: process.env,
  streams: { out: text => void out(text), err: text => void process.stderr.write(text) },
  signal: stop.signal,
}).then(code => {
  const ended = stop.signal.aborted ? process.exitCode : code;
  // Something of the app may still hold the process: the command has ended, and its output is written.
  out('', () => process.exit(ended));
});
