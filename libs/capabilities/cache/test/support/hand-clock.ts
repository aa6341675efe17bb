import { Clock } from '@core-infra/kernel';

/** A clock that a spec moves. */
export class HandClock extends Clock {
  constructor(private at = Date.now()) {
    super();
  }

  now(): number {
    return this.at;
  }

  monotonic(): number {
    return this.at;
  }

  advance(ms: number): void {
    this.at += ms;
  }
}
