import type { DeadLetter } from '../../../src/index.js';

let made = 0;

/** A dead letter of an hour ago; ids ascend, as they do. */
export function letterOf(group: string, given: Partial<DeadLetter> = {}): DeadLetter {
  const at = Date.now() - 3_600_000;
  const id = `e${(made += 1)}`;
  return {
    id: `01890000-0000-7000-8000-${made.toString(16).padStart(12, '0')}`,
    group,
    message: {
      id,
      topic: 'orders.placed',
      key: 'k',
      headers: {
        ce_id: id,
        ce_source: '/spec',
        ce_type: 'orders.placed',
        ce_specversion: '1.0',
        'content-type': 'application/json',
      },
      body: Buffer.from('{"at":1}'),
    },
    reason: 'attempts',
    error: { name: 'Error', message: 'no stock', code: 'NO_STOCK', stack: 'Error: no stock\n  at x' },
    partition: 0,
    position: made,
    attempts: 10,
    firstAttemptAt: at - 1_000,
    lastAttemptAt: at,
    ...given,
  };
}
