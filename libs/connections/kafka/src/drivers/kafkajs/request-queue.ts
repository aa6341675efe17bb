import { createRequire } from 'node:module';

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

const corrected = Symbol.for('core-infra.kafka.request-queue');

/**
 * kafkajs asks for a timer in the past after every answer, though nothing waits: Node 24 warns of it (`TimeoutNegativeWarning`), and makes one of
 * a millisecond. Corrected where kafkajs keeps it, once, to do that only while requests wait.
 */
export function correctRequestQueue(): void {
  const Queue = createRequire(__filename)('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
  const prototype = Queue.prototype as RequestQueue & { [corrected]?: true };
  const schedule = prototype.scheduleCheckPendingRequests as RequestQueue['scheduleCheckPendingRequests'] | undefined;
  if (prototype[corrected] || !schedule) return;
  prototype[corrected] = true;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length === 0) return;
    // It waits from now on at the soonest.
    if (this.throttledUntil < 0) this.throttledUntil = Date.now();
    schedule.call(this);
  };
}
