import type { Entry } from '../tiers/entry.js';
import type { Found } from '../tiers/shared-tier.js';

/** What a load ended with: an entry, or a value that is not kept. */
export type Outcome = Entry | { readonly kept: false; readonly value: unknown };

/** A load under way, and all who wait for it. */
export class Flight {
  outcome!: Promise<Outcome>;
  /** What was found in the shared store, and is not fresh. */
  found: Found | undefined;
  /** Loads that its loader waits for. */
  readonly waitsFor = new Set<Flight>();
  private hasEnded = false;

  constructor(
    readonly full: string,
    /** Whose loader asked for it. */
    private asker: Flight | undefined,
  ) {}

  /**
   * Whether this load, if its loader waited for one more, would wait for itself.
   * @param joined the load that it would wait for; `undefined` for one that is still to begin
   */
  wouldNeverEnd(joined: Flight | undefined, full: string): boolean {
    if (joined?.awaits(this, new Set())) return true;
    for (let flight: Flight | undefined = this; flight; flight = flight.asker)
      if (flight.full === full && !flight.hasEnded) return true;
    return false;
  }

  /** What a loader leaves running may go on for long in its context: it is no part of the load any more. */
  end(): void {
    this.hasEnded = true;
    this.asker = undefined;
  }

  private awaits(other: Flight, seen: Set<Flight>): boolean {
    if (this === other) return true;
    if (seen.has(this)) return false;
    seen.add(this);
    for (const next of this.waitsFor) if (next.awaits(other, seen)) return true;
    return false;
  }
}
