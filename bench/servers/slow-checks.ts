import { setTimeout as sleep } from 'node:timers/promises';

export const CHECKS = 8;
export const CHECK_MS = 5;

/** Eight checks of five milliseconds, and how often they were run. */
export class SlowChecks {
  readonly names = Array.from({ length: CHECKS }, (_, at) => `server-${at + 1}`);
  private readonly begun = new Map(this.names.map(name => [name, [] as number[]]));

  async check(name: string): Promise<void> {
    this.begun.get(name)!.push(performance.now());
    await sleep(CHECK_MS);
  }

  /** The most runs that any of the checks began within any one second. */
  mostRunsInASecond(): number {
    return Math.max(...[...this.begun.values()].map(mostInASecond));
  }
}

function mostInASecond(times: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (let last = 0; last < times.length; last += 1) {
    while (times[last]! - times[first]! >= 1_000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
