/** A message that was handed over, by its offset. */
export class Slot {
  isSettled = false;

  constructor(readonly offset: bigint) {}
}

/** Which offsets of a partition were handed over, and up to where all of them are settled. */
export class Offsets {
  /** In their order; those before `first` are settled. */
  private slots: Slot[] = [];
  private first = 0;
  private settledUpTo: bigint | undefined;
  /** How many were settled since the last commit. */
  uncommitted = 0;

  hand(slot: Slot): void {
    this.slots.push(slot);
  }

  settle(slot: Slot): void {
    slot.isSettled = true;
    const { slots } = this;
    while (this.first < slots.length && slots[this.first]!.isSettled) {
      this.settledUpTo = slots[this.first]!.offset;
      this.first += 1;
      this.uncommitted += 1;
    }
    if (this.first < 1_024 || this.first * 2 < slots.length) return;
    this.slots = slots.slice(this.first);
    this.first = 0;
  }

  /** What may be committed now, if there is anything new: the offset of the next message. */
  take(): bigint | undefined {
    if (this.uncommitted === 0) return undefined;
    this.uncommitted = 0;
    return this.settledUpTo! + 1n;
  }

  /** The last commit has not arrived. */
  putBack(): void {
    this.uncommitted += 1;
  }
}
