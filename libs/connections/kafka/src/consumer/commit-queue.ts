import { setTimeout as sleep } from 'node:timers/promises';

/** An offset on its way to the broker. */
export interface PendingCommit {
  readonly topic: string;
  readonly partition: number;
  next: bigint;
  metadata: string | undefined;
  readonly waiting: { resolve(): void; reject(error: unknown): void }[];
}

export interface CommitSettings {
  /** Sends offsets once. */
  readonly send: (commits: readonly PendingCommit[]) => Promise<void>;
  /** Whether the same offsets may be taken later. */
  readonly isRetryable: (error: unknown) => boolean;
  readonly backoff: (attempt: number) => number;
  /** What is said to those who wait. */
  readonly explain: (error: unknown, commit: PendingCommit) => unknown;
}

/** One request with offsets at a time; what comes meanwhile goes together in the next, the latest offset of each partition. */
export class CommitQueue {
  #next = new Map<string, PendingCommit>();
  #running: Promise<void> | undefined;
  #closed: unknown;

  constructor(private readonly settings: CommitSettings) {}

  add(topic: string, partition: number, next: bigint, metadata?: string): Promise<void> {
    if (this.#closed !== undefined)
      return Promise.reject(
        this.settings.explain(this.#closed, { topic, partition, next, metadata, waiting: [] }) as Error,
      );
    const key = `${topic} ${partition}`;
    let commit = this.#next.get(key);
    if (commit) {
      commit.next = next;
      commit.metadata = metadata;
    } else this.#next.set(key, (commit = { topic, partition, next, metadata, waiting: [] }));
    const { waiting } = commit;
    const done = new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
    this.#running ??= this.#run();
    return done;
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Nothing is sent from now on. */
  close(reason: unknown): void {
    this.#closed ??= reason;
  }

  async #run(): Promise<void> {
    // What the same turn of the event loop commits goes together.
    await new Promise<void>(resolve => setImmediate(resolve));
    while (this.#next.size > 0) {
      const commits = [...this.#next.values()];
      this.#next = new Map();
      await this.#deliver(commits);
    }
    this.#running = undefined;
  }

  async #deliver(commits: readonly PendingCommit[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (this.#closed === undefined) await this.settings.send(commits);
        if (this.#closed !== undefined) return this.#refuse(commits, this.#closed);
        for (const { waiting } of commits) for (const { resolve } of waiting) resolve();
        return;
      } catch (error) {
        if (this.#closed === undefined && this.settings.isRetryable(error)) {
          await sleep(this.settings.backoff(attempt), undefined, { ref: false });
          continue;
        }
        return this.#refuse(commits, this.#closed ?? error);
      }
    }
  }

  #refuse(commits: readonly PendingCommit[], error: unknown): void {
    for (const commit of commits) for (const { reject } of commit.waiting) reject(this.settings.explain(error, commit));
  }
}
