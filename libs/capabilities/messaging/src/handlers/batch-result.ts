/**
 * What a batch handler returns when some of its events have failed: those are tried again, the others are done. Except what is behind a failed one of
 * its key, where keys are in order: that counts as not handled, and comes again after it. So stop with a key where it fails; the rest of it need not be
 * named. Where there is an inbox and the rest was done all the same, the batch is undone, and its events are tried one by one.
 */
export class BatchResult {
  private constructor(readonly failures: ReadonlyMap<number, unknown>) {}

  /** @param failures places in the batch, each with its error */
  static failed(failures: Iterable<readonly [index: number, error: unknown]>): BatchResult {
    return new BatchResult(new Map(failures));
  }

  /** Everything is done; the same as returning nothing. */
  static readonly done = new BatchResult(new Map());
}
