import type { Lane } from './lane.js';

/** Parked keys that take their messages out of the lot: so many at once; the others wait, in the order in which they were due. */
export class Turns {
  private readonly taking = new Set<Lane>();
  private readonly due = new Set<Lane>();

  constructor(
    private readonly most: number,
    /** Nothing more should be taken into memory. */
    private readonly isHeld: () => boolean,
    private readonly begin: (lane: Lane) => void,
  ) {}

  /** Whether it may take messages now, or further ones; if not, it is begun with when it may. */
  take(lane: Lane): boolean {
    if (this.taking.has(lane)) return true;
    if (this.taking.size >= this.most || this.isHeld()) {
      lane.state = 'queued';
      this.due.add(lane);
      return false;
    }
    this.taking.add(lane);
    return true;
  }

  /** It has no messages of the lot in hand any more. */
  leave(lane: Lane): void {
    this.due.delete(lane);
    if (this.taking.delete(lane)) this.goOn();
  }

  /** Begins with those that are due, as many as may. */
  goOn(): void {
    for (const lane of this.due) {
      if (this.taking.size >= this.most || this.isHeld()) return;
      this.due.delete(lane);
      if (lane.state !== 'queued' || lane.partition.closing) continue;
      lane.state = 'idle';
      this.begin(lane);
    }
  }
}
