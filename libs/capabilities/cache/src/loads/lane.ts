import type { Space } from '../tiers/space.js';
import type { Flight } from './flight.js';

let last = 0;

/** The loads of a key between two of its invalidations, one after another. */
export class Lane {
  /** By which bentocache knows it: what is loaded after an invalidation does not wait for what was loaded before. */
  readonly id: string;
  /** Whom all who ask now may join. */
  flight: Flight | undefined;
  /** Loads that have not ended, those that nobody waits for included. */
  users = 0;

  constructor(
    readonly full: string,
    readonly space: Space,
  ) {
    last = (last + 1) % Number.MAX_SAFE_INTEGER;
    this.id = `${last}:${full}`;
  }
}

export function fullOf(laneId: string): string {
  return laneId.slice(laneId.indexOf(':') + 1);
}
