/** Writes times as ISO 8601 in UTC, with milliseconds. A text is kept for its millisecond, and down to the second for its second. */
export class Timestamp {
  private at = -1;
  private last = '';
  private second = -1;
  private head = '';

  constructor(private readonly now: () => number) {}

  text(): string {
    const now = this.now();
    if (now === this.at) return this.last;
    const second = Math.floor(now / 1_000);
    if (second !== this.second) {
      this.second = second;
      this.head = new Date(second * 1_000).toISOString().slice(0, 20);
    }
    const ms = now - second * 1_000;
    this.at = now;
    return (this.last = `${this.head}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`);
  }
}
