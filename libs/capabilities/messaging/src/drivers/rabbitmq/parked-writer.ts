import { setTimeout as sleep } from 'node:timers/promises';
import { type RabbitmqClient, RabbitmqUnroutableError } from '@core-infra/rabbitmq';
import { type Copy, type Entry, extraOf } from './parked-entry.js';
import type { QueueSets } from './queue-sets.js';
import { toAmqpWhole } from './wire.js';

/** Between attempts, in milliseconds. */
const AGAIN_MS = 500;

/**
 * Puts copies into a parking queue, in their order. Resolves when all of them are confirmed, or `given` aborts: once one of them may be there, it
 * is not left open whether the others are.
 * @throws what the broker says when it takes none of them, and will not
 */
export async function writeCopies(
  { client, sets }: { readonly client: RabbitmqClient; readonly sets: QueueSets },
  queue: string,
  drafts: readonly { readonly entry: Entry; readonly copy: Copy }[],
  signal: AbortSignal,
  given: AbortSignal,
): Promise<void> {
  let left = drafts;
  while (left.length > 0 && !given.aborted) {
    const results = await Promise.allSettled(
      left.map(({ entry, copy }) =>
        client.send(queue, toAmqpWhole(entry.wire!, extraOf(entry, copy.ticket)), { signal }),
      ),
    );
    const failed = results.find(result => result.status === 'rejected');
    left = left.filter((_, at) => results[at]!.status === 'rejected');
    if (!failed) return;
    signal.throwIfAborted();
    const error = failed.reason as { readonly retryable?: boolean };
    if (error instanceof RabbitmqUnroutableError) {
      sets.forget();
      await sets.queue(queue);
    } else if (!error.retryable && left.length === drafts.length) throw failed.reason;
    await sleep(AGAIN_MS, undefined, { signal });
  }
}
