import { basename } from 'node:path';

/** What all processes of one run of Jest have in common: the process that started the workers. */
export function testRun(): string {
  const isWorker = basename(process.argv[1] ?? '') === 'processChild.js';
  return String(isWorker ? process.ppid : process.pid);
}
