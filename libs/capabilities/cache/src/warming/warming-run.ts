import type { WarmingLoad } from './cache-warmer.decorator.js';

/** How far a warmer is. */
export interface Progress {
  done: number;
  failed: number;
  /** The first of the failures. */
  error?: unknown;
}

/** Runs what is yielded, so many at a time, until the end or the signal. Rejects when the source itself fails. */
export async function runLoads(
  source: AsyncIterable<WarmingLoad> | Iterable<WarmingLoad>,
  concurrency: number,
  signal: AbortSignal,
  progress: Progress,
): Promise<void> {
  const loads = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let ended = false;
  const worker = async (): Promise<void> => {
    while (!ended && !signal.aborted) {
      const next = await loads.next();
      if (next.done) ended = true;
      else await one(next.value);
    }
  };
  const one = async (load: WarmingLoad): Promise<void> => {
    if (signal.aborted) return;
    try {
      await load();
      progress.done += 1;
    } catch (error) {
      progress.failed += 1;
      progress.error ??= error;
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, worker));
  } finally {
    ended = true;
    await loads.return?.();
  }
}

/** Resolves with `work`, or rejects with the signal's reason when that is first: not everything that is called heeds a signal. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop!: () => void;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
  });
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
    work.catch(() => undefined); // after the abort, what becomes of it is nobody's concern
  }
}
