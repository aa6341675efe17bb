/** What a message is taken to have before any has come, in bytes: the bus's own limit. */
const EXPECTED_BYTES = 1_000_000;
/** How fast a large message is forgotten: after some hundred smaller ones. */
const FADING = 0.99;

/** How many messages of a queue may be here: as many as are asked for, and fewer where they are large. */
export class Window {
  private largest = EXPECTED_BYTES;
  private isFirst = true;
  size: number;

  constructor(
    private readonly most: number,
    private readonly bytes: number,
  ) {
    this.size = this.wanted;
  }

  /** A message has come. @returns whether the window has another size now */
  note(bytes: number): boolean {
    this.largest = this.isFirst ? Math.max(1, bytes) : Math.max(bytes, this.largest * FADING);
    this.isFirst = false;
    const { wanted, size } = this;
    // It narrows at once and widens step by step: every step costs two questions to the broker.
    if (wanted < size * 0.75 || (wanted > size && wanted >= Math.min(size * 1.5, this.most))) {
      this.size = Math.min(wanted, size * 2);
      return true;
    }
    return false;
  }

  private get wanted(): number {
    return Math.min(this.most, Math.max(1, Math.floor(this.bytes / this.largest)));
  }
}
