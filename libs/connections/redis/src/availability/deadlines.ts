const LONGEST_MS = 2 ** 31 - 1;

/** One thing that has to be done in time. */
export class Deadline {
  next: Deadline = this;
  previous: Deadline = this;

  constructor(
    readonly at: number,
    readonly overrun: () => void,
  ) {}

  get isMet(): boolean {
    return this.next === this;
  }

  meet(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this.previous = this;
  }
}

/** Those of one duration, which are due in the order in which they came: a ring that begins and ends with this. */
class Line extends Deadline {
  constructor(readonly ms: number) {
    super(Infinity, () => undefined);
  }

  push(deadline: Deadline): void {
    deadline.previous = this.previous;
    deadline.next = this;
    this.previous.next = deadline;
    this.previous = deadline;
  }
}

/** Time limits of commands, with one timer for all of the same duration: one for each command costs more than the rest of what we do to it. */
export class Deadlines {
  private readonly lines = new Map<number, Line>();

  /** Calls `overrun` after so many milliseconds, unless the deadline is met before. */
  in(durationMs: number, overrun: () => void): Deadline {
    const ms = Math.min(LONGEST_MS, Math.max(1, Math.ceil(durationMs) || 1));
    let line = this.lines.get(ms);
    if (!line) {
      this.lines.set(ms, (line = new Line(ms)));
      this.watch(line, ms);
    }
    const deadline = new Deadline(performance.now() + ms, overrun);
    line.push(deadline);
    return deadline;
  }

  /** Lets all overrun now. */
  end(): void {
    for (const line of this.lines.values())
      while (!line.isMet) {
        const { next } = line;
        next.meet();
        next.overrun();
      }
  }

  private watch(line: Line, ms: number): void {
    setTimeout(() => this.check(line), Math.max(1, Math.ceil(ms))).unref();
  }

  private check(line: Line): void {
    const now = performance.now();
    const due: Deadline[] = [];
    let first = line.next;
    for (; first.at <= now; first = first.next) due.push(first);
    if (first === line) this.lines.delete(line.ms);
    else this.watch(line, first.at - now);
    if (due.length === 0) return;
    // When it was this process that was busy, the answer is there already and is read in the turn that follows.
    setImmediate(() =>
      setImmediate(() => {
        for (const deadline of due) {
          if (deadline.isMet) continue;
          deadline.meet();
          deadline.overrun();
        }
      }),
    );
  }
}
