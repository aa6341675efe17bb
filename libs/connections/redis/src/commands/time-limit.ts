import type { Deadline, Deadlines } from '../availability/deadlines.js';
import { timedOut } from './command-errors.js';
import type { InternalCommand } from './internals.js';

interface Limited extends InternalCommand {
  deadline?: Deadline;
}

/** Puts deadlines of ours in the place of the timer that ioredis would start for the command; when and how long is ioredis's to say. */
export function limitTime(command: InternalCommand, deadlines: Deadlines): void {
  const limited: Limited = command;
  if (limited.deadline) return;
  const clear = command._clearTimers;
  command.setTimeout = ms => {
    limited.deadline ??= deadlines.in(ms, () => command.reject(new Error(timedOut)));
  };
  command._clearTimers = () => {
    limited.deadline?.meet();
    clear.call(command);
  };
}
