/**
 * What `work` resolves with, or the error when it takes too long or the signal aborts. The work itself goes on: a request cannot be taken back.
 * @throws what `late` makes, or the signal's reason
 */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error, signal?: AbortSignal): Promise<T> {
  signal?.throwIfAborted();
  let stop = (): void => undefined;
  const limit = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(late()), ms);
    const abort = (): void => reject(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    stop();
    // Whoever raced it has been told; what it says later is nobody's.
    work.catch(() => undefined);
  }
}
