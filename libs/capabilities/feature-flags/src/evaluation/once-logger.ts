import type { Logger } from '@nestjs/common';

/** Beyond it no further name is remembered, so that names made up by callers cannot fill memory or log. */
const MAX_NAMES = 1_000;

/** One line for each flag and kind of complaint. */
export class OnceLogger {
  private readonly said = new Set<string>();

  constructor(private readonly logger: Logger) {}

  warn(kind: string, flag: string, message: string): void {
    const id = `${kind} ${flag.length > 200 ? flag.slice(0, 200) : flag}`;
    if (this.said.size > MAX_NAMES || this.said.has(id)) return;
    this.said.add(id);
    if (this.said.size > MAX_NAMES) this.logger.warn('Many more flags are asked for in vain; no further one is logged');
    else this.logger.warn(message, { flag: printable(flag), kind });
  }
}

/** A name as a log line can carry it. */
export function printable(flag: string): string {
  return JSON.stringify(flag.length > 200 ? `${flag.slice(0, 200)}…` : flag);
}
