/** Remembers which messages a group has handled, so that effects happen once though messages come twice. */
export interface Inbox {
  /** What `work` has written is undone when it rejects: its records are in the transaction of its effects. */
  readonly isTransactional?: boolean;
  /**
   * Whether another attempt, beyond a handler's concurrency, would leave enough for the rest of the app. Asked before each of those that make up for attempts
   * which hang.
   */
  hasRoom?(): boolean;
  /**
   * Runs `work` for the messages that this group has not handled before, in a transaction that also records them: both are in force or neither.
   * @param ids event ids with their source, of one delivery or one batch
   * @param work gets the places of the ids that are new, and resolves with those that have failed (of a batch): these are not recorded, the
   * rest is. It is not called when none is new; what it rejects with rolls everything back
   * @param limit ends a wait for somebody else who is at work on one of them, where the inbox waits by itself; its signal is read only then
   * @returns the places that were handled before
   */
  once(
    group: string,
    ids: readonly string[],
    work: (fresh: readonly number[]) => Promise<readonly number[]>,
    limit?: { readonly signal: AbortSignal },
  ): Promise<readonly number[]>;
}
