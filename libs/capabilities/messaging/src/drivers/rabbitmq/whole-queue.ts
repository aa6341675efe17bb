import { setTimeout as sleep } from 'node:timers/promises';
import type { RabbitmqClient, RabbitmqConsumer, RabbitmqMessage } from '@core-infra/rabbitmq';
import { QueueTakenError } from './errors.js';

/** How many messages one consumer may hold: nearly as many as AMQP can say. */
const MOST = 65_000;
/** How long others may hold it, and how long nothing may come while something is due, in milliseconds. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 30;
/** How long the broker has for what was settled last, in milliseconds. */
const SETTLING_MS = 50;

export interface WholeQueueSite {
  /** One that was there, has come since, or has come again. */
  arrived(message: RabbitmqMessage): void;
  /** What was in hand is the queue's again. */
  lost(): void;
}

/**
 * A queue whose messages are all taken and kept unsettled, so that each can be found and settled by itself. One at a time may have it so: whoever
 * opens it sees to that.
 */
export class WholeQueue {
  private consumers: RabbitmqConsumer[] = [];
  private isOver = false;

  constructor(
    private readonly client: RabbitmqClient,
    private readonly name: string,
    private readonly site: WholeQueueSite,
  ) {}

  /**
   * Resolves when everything that was there is in hand, never before.
   * @throws QueueTakenError when others take from it; RabbitmqMissingError without the queue
   */
  async open(signal: AbortSignal): Promise<void> {
    const expected = await this.free(signal);
    const whole = Promise.withResolvers<void>();
    let arrived = 0;
    const take = (message: RabbitmqMessage): void => {
      if (this.isOver) return;
      this.site.arrived(message);
      arrived += 1;
      if (arrived >= expected) whole.resolve();
    };
    const onLost = (): void => {
      if (this.isOver) return;
      void this.close();
      whole.reject(new QueueTakenError(this.name, 'the connection was lost meanwhile'));
      this.site.lost();
    };
    if (expected === 0) whole.resolve();
    let seen = 0;
    const watch = setInterval(() => {
      const taken = `${expected} messages were there, and only ${arrived} have come within ${PATIENCE_MS} ms`;
      if (arrived === seen) whole.reject(new QueueTakenError(this.name, taken));
      seen = arrived;
    }, PATIENCE_MS).unref();
    const abort = (): void => whole.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    whole.promise.catch(() => undefined); // awaited below, unless consuming fails before
    try {
      // One has what is there in its order, the next what is more than one may hold; there is always room for what comes.
      for (let room = 0; room <= expected; room += MOST)
        this.consumers.push(await this.client.consume(this.name, { prefetch: MOST, endsItself: true, onLost }, take));
      signal.throwIfAborted();
      await whole.promise;
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      clearInterval(watch);
      signal.removeEventListener('abort', abort);
    }
  }

  /** What is not settled is the queue's again; in no certain order. */
  async close(): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    const consumers = this.consumers.splice(0);
    // A channel of the broker keeps what it has not yet told the queue to itself, and it would be lost with it.
    if (consumers.some(({ isActive }) => isActive)) await sleep(SETTLING_MS);
    await Promise.all(consumers.map(consumer => consumer.cancel()));
  }

  /** @returns how many messages there are, once nobody has any of them */
  private async free(signal: AbortSignal): Promise<number> {
    const since = performance.now();
    for (;;) {
      // A consumer is counted until what it had is the queue's again.
      const { messages, consumers } = await this.client.depth(this.name);
      if (consumers === 0) return messages;
      if (performance.now() - since > PATIENCE_MS)
        throw new QueueTakenError(this.name, `it has ${consumers} other consumers`);
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
  }
}
