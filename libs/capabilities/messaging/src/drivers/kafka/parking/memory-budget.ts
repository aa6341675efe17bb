/** How much of what is parked is kept in memory too; the rest is read again when its turn comes. */
export class MemoryBudget {
  constructor(private left: number) {}

  /** Whether there was room. @param always takes it though there is none */
  take(bytes: number, always: boolean): boolean {
    if (bytes > this.left && !always) return false;
    this.left -= bytes;
    return true;
  }

  free(bytes: number): void {
    this.left += bytes;
  }
}
