/** What a batch handler returns when some of its events have failed: those are tried again, the others are done. */
export class BatchResult {
  private constructor(readonly failures: ReadonlyMap<number, unknown>) {}

  /** @param failures places in the batch, each with its error */
  static failed(failures: Iterable<readonly [index: number, error: unknown]>): BatchResult {
    return new BatchResult(new Map(failures));
  }

  /** Everything is done; the same as returning nothing. */
  static readonly done = new BatchResult(new Map());
}
