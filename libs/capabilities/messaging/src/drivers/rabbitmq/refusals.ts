/** How long a partition is left alone that another member has though nobody seems to consume it, in milliseconds: longer with each time. */
const PAUSES_MS = [0, 2_000, 5_000];

/** Partitions that others have. Who pauses consumes nothing, and each attempt to take its partitions is an error in the broker's log. */
export class Refusals {
  private readonly marks = new Map<string, { readonly times: number; readonly until: number }>();

  mayTry(name: string): boolean {
    return (this.marks.get(name)?.until ?? 0) <= performance.now();
  }

  note(name: string, isFree: boolean): void {
    const times = (this.marks.get(name)?.times ?? 0) + 1;
    if (isFree) this.marks.delete(name);
    else this.marks.set(name, { times, until: performance.now() + (PAUSES_MS[times - 1] ?? PAUSES_MS.at(-1)!) });
  }
}
