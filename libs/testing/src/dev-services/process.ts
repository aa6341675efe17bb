import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Whether a process of this number exists, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Whether the process of this number is the one that was started with `argument` in its command line: numbers are used
 * again, so a number from a file says little.
 */
export function isRunningWith(pid: number | undefined, argument: string): boolean {
  if (pid === undefined || !isAlive(pid)) return false;
  if (process.platform === 'win32') return true;
  try {
    const commandLine =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        : execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return commandLine.includes(argument);
  } catch {
    // It ended between the two looks.
    return false;
  }
}
