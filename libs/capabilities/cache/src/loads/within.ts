import { LoadTimeoutError } from '../errors.js';

/**
 * Runs `work` within a time limit, whether it listens to its signal or not.
 * @param timeoutMs in milliseconds; 0 for none
 * @throws LoadTimeoutError
 */
export async function within<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  if (timeoutMs === 0) return work(controller.signal);
  let timer: NodeJS.Timeout | undefined;
  const overrun = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new LoadTimeoutError(timeoutMs);
      controller.abort(error);
      reject(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(controller.signal), overrun]);
  } finally {
    clearTimeout(timer);
  }
}
