import type { Space } from '../tiers/space.js';
import type { Flight } from './flight.js';

/** The loads of a key between two of its invalidations, one after another. */
export class Lane {
  /** Whom all who ask now may join. */
  flight: Flight | undefined;
  /** Loads that have not ended, those that nobody waits for included. */
  users = 0;

  constructor(
    private readonly number: number,
    readonly full: string,
    readonly space: Space,
  ) {}

  /** By which bentocache knows it: what is loaded after an invalidation does not wait for what was loaded before. */
  get id(): string {
    return `${this.number}:${this.full}`;
  }
}

export function fullOf(laneId: string): string {
  return laneId.slice(laneId.indexOf(':') + 1);
}
