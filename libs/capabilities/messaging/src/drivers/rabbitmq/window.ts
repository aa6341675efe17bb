/** What a message is taken to have before any has come, in bytes: the bus's own limit. */
const EXPECTED_BYTES = 1_000_000;
/** How fast a large message is forgotten: after some hundred smaller ones. */
const FADING = 0.99;

/** What the messages of a member's queues were like, so that a queue that it takes, or takes again, need not be felt out. */
export interface Experience {
  /** In bytes. */
  largest?: number;
}

/** How many messages of a queue may be here: as many as are asked for, and fewer where they are large. */
export class Window {
  private largest: number;
  private isFirst: boolean;
  size: number;

  constructor(
    private readonly most: number,
    private readonly bytes: number,
    private readonly experience: Experience = {},
  ) {
    this.largest = experience.largest ?? EXPECTED_BYTES;
    this.isFirst = experience.largest === undefined;
    this.size = this.wanted;
  }

  /**
   * A message has come.
   * @param isReturned It was in somebody's window, and all of that window is to come at once: should this connection be lost, too, the broker puts what
   * has come behind what has not.
   * @returns whether the window has another size now
   */
  note(bytes: number, isReturned = false): boolean {
    this.largest = this.isFirst ? Math.max(1, bytes) : Math.max(bytes, this.largest * FADING);
    this.isFirst = false;
    this.experience.largest = this.largest;
    const { wanted, size } = this;
    // It narrows at once and widens step by step: every step costs two questions to the broker.
    if (wanted < size * 0.75 || (wanted > size && wanted >= Math.min(size * 1.5, this.most))) {
      this.size = isReturned ? wanted : Math.min(wanted, size * 2);
      return true;
    }
    return false;
  }

  private get wanted(): number {
    return Math.min(this.most, Math.max(1, Math.floor(this.bytes / this.largest)));
  }
}
