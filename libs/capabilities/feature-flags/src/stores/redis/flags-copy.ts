import { isDeepStrictEqual } from 'node:util';
import { reasonOf } from '@core-infra/kernel';
import type { FlagSnapshot } from '../../flag-store.js';
import type { KeptFlags, SnapshotFile } from '../../snapshot/snapshot.file.js';
import { nothingSeen, type Parse, type Seen, seenOf } from './stored-flags.js';

interface Listener {
  readonly onSnapshot: (snapshot: FlagSnapshot) => void;
  readonly onError: (error: unknown) => void;
  knows: KeptFlags | undefined;
}

/** The last good flags of this process, and who is to hear of others. */
export class FlagsCopy {
  /** `undefined` until flags were found anywhere. */
  held: KeptFlags | undefined;
  source: 'Redis' | 'the snapshot file' = 'Redis';
  /** Why what Redis holds is not used; `undefined` when it is. */
  refusal: Error | undefined;
  /** The state of Redis that was looked at last, be it good or refused. */
  seen: Seen = nothingSeen;
  private readonly listeners = new Set<Listener>();
  private handedOut: KeptFlags | undefined;

  constructor(
    private readonly parse: Parse,
    private readonly snapshot: SnapshotFile | undefined,
    private readonly logger: { warn(message: string): void },
  ) {}

  get isHeard(): boolean {
    return this.listeners.size > 0;
  }

  /** Tells of all that comes after what was handed out last. @returns a function that ends it */
  listen(onSnapshot: Listener['onSnapshot'], onError: Listener['onError']): () => void {
    const listener: Listener = { onSnapshot, onError, knows: this.handedOut };
    this.listeners.add(listener);
    this.tell();
    return () => void this.listeners.delete(listener);
  }

  /** Remembers what somebody who will listen has been given. */
  handOut(flags: KeptFlags): KeptFlags {
    return (this.handedOut = flags);
  }

  /** What Redis holds from now on. */
  take(flags: KeptFlags): KeptFlags {
    const before = this.held;
    this.held = flags;
    this.source = 'Redis';
    this.seen = seenOf(flags);
    this.refusal = undefined;
    if (before && before.version > flags.version)
      this.logger.warn(`The flags in Redis went back from version ${before.version} to ${flags.version}`);
    if (!before || !same(before, flags)) this.snapshot?.save(flags);
    this.tell();
    return flags;
  }

  /** Redis holds something that is not used: said once for each state of it. */
  refuse(error: unknown, seen: Seen): void {
    const known = this.refusal !== undefined && isDeepStrictEqual(this.seen, seen);
    this.refusal = error instanceof Error ? error : new Error(String(error));
    this.seen = seen;
    if (known) return;
    const held = this.held ? `those of version ${this.held.version} stay in force` : 'none are in force';
    this.logger.warn(`The flags in Redis are refused, ${held}: ${reasonOf(error)}`);
    for (const { onError } of this.listeners) onError(error);
  }

  /** The last good flags: of this process, else of the snapshot file. */
  async fallBack(): Promise<KeptFlags | undefined> {
    if (this.held || !this.snapshot) return this.held;
    const kept = await this.snapshot.read(this.parse);
    // Redis may have answered meanwhile.
    if (this.held || !kept) return this.held;
    this.held = kept;
    this.source = 'the snapshot file';
    this.logger.warn(`The flags of version ${kept.version} are taken from ${this.snapshot.path}`);
    return kept;
  }

  private tell(): void {
    const { held } = this;
    if (!held) return;
    for (const listener of this.listeners) {
      if (listener.knows && same(listener.knows, held)) continue;
      listener.knows = held;
      listener.onSnapshot(held);
    }
  }
}

function same(a: KeptFlags, b: KeptFlags): boolean {
  return a.revision === b.revision && a.text === b.text;
}
