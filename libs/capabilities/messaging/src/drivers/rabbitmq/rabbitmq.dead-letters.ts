import { setTimeout as sleep } from 'node:timers/promises';
import type { RabbitmqClient } from '@core-infra/rabbitmq';
import type { DeadLetter, DeadLetterFilter, DeadLetterStore } from '../../stores/dead-letters.js';
import { DeadLetterIndex } from './dead-letter-index.js';
import { QueueTakenError } from './errors.js';
import { isLockedByOther } from './held-queue.js';
import { DEAD_LETTERS, lockOf } from './names.js';
import type { QueueSets } from './queue-sets.js';
import { toAmqpWhole } from './wire.js';

/** How long what was read is kept in hand for the next question, in milliseconds. */
const LINGER_MS = 500;
/** How long one process may have it while others wait, in milliseconds; and how long it then leaves them to it. */
const MOST_MS = 5_000;
const TURN_MS = 400;
/** How long it waits for its turn, in milliseconds. */
const PATIENCE_MS = 30_000;

/**
 * Dead letters in a queue: messages as they came, with what is known of their failure in headers. To look at them is to take all of them and to give
 * them back, which one process at a time may do; what it sees is all there is, or an error.
 */
export class RabbitmqDeadLetters implements DeadLetterStore {
  private turn: Promise<unknown> = Promise.resolve();
  private index?: DeadLetterIndex;
  private since = 0;
  private timer?: NodeJS.Timeout;
  /** Others may have waited for it. */
  private courtesy = false;

  constructor(
    private readonly client: RabbitmqClient,
    private readonly sets: QueueSets,
  ) {}

  async add(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void> {
    await this.sets.queue(DEAD_LETTERS);
    await Promise.all(
      letters.map(({ message, ...rest }) =>
        this.client.send(
          DEAD_LETTERS,
          toAmqpWhole(message, { topic: message.topic, group: rest.group, letter: JSON.stringify(rest) }),
          { signal },
        ),
      ),
    );
  }

  list(
    filter: DeadLetterFilter,
    { limit, after }: { readonly limit: number; readonly after?: string },
    signal: AbortSignal,
  ): Promise<readonly DeadLetter[]> {
    return this.ask(signal, index => index.list(filter, limit, after));
  }

  get(id: string, signal: AbortSignal): Promise<DeadLetter | undefined> {
    return this.ask(signal, index => index.get(id));
  }

  remove(ids: readonly string[], signal: AbortSignal): Promise<number> {
    return this.ask(signal, index => index.remove(ids));
  }

  async count(filter: DeadLetterFilter, signal: AbortSignal): Promise<number> {
    if (Object.values(filter).every(value => value === undefined)) {
      // The broker knows it, unless somebody has them in hand.
      await this.sets.queue(DEAD_LETTERS);
      const { messages, consumers } = await this.client.depth(DEAD_LETTERS);
      if (consumers === 0) return messages;
    }
    return this.ask(signal, index => index.count(filter));
  }

  /** Of all groups together: by group they would have to be read. Nothing while somebody has them in hand. */
  async sizes(): Promise<ReadonlyMap<string, number>> {
    await this.sets.queue(DEAD_LETTERS);
    const { messages, consumers } = await this.client.depth(DEAD_LETTERS);
    return new Map(consumers === 0 ? [['', messages]] : []);
  }

  /** Gives what is in hand back: others may look at it. */
  async close(): Promise<void> {
    await this.turn;
    await this.giveBack();
  }

  /** One question after another. */
  private ask<T>(signal: AbortSignal, question: (index: DeadLetterIndex) => T | Promise<T>): Promise<T> {
    const asked = this.turn.then(async () => {
      signal.throwIfAborted();
      clearTimeout(this.timer);
      try {
        const index = await this.whole(signal);
        return await unless(signal, question(index));
      } finally {
        this.courtesy = this.index !== undefined && performance.now() - this.since >= MOST_MS;
        if (this.courtesy || this.index?.isLost) await this.giveBack();
        else this.timer = setTimeout(() => this.later(), LINGER_MS).unref();
      }
    });
    this.turn = asked.catch(() => undefined);
    return asked;
  }

  private later(): void {
    this.turn = this.turn.then(() => this.giveBack());
  }

  private async whole(signal: AbortSignal): Promise<DeadLetterIndex> {
    if (this.index && !this.index.isLost) return this.index;
    await this.giveBack();
    if (this.courtesy) await sleep(TURN_MS, undefined, { signal });
    await this.sets.queue(DEAD_LETTERS);
    await this.lock(signal);
    const index = new DeadLetterIndex(this.client);
    try {
      await index.open(signal);
    } catch (error) {
      await this.unlock();
      throw error;
    }
    this.since = performance.now();
    return (this.index = index);
  }

  private async giveBack(): Promise<void> {
    clearTimeout(this.timer);
    const { index } = this;
    if (!index) return;
    this.index = undefined;
    await index.close();
    await this.unlock();
  }

  private async unlock(): Promise<void> {
    const name = this.client.queueName(lockOf(DEAD_LETTERS));
    // Where the connection is gone, so is the lock.
    await this.client.withChannel(channel => channel.deleteQueue(name)).catch(() => undefined);
  }

  private async lock(signal: AbortSignal): Promise<void> {
    const name = this.client.queueName(lockOf(DEAD_LETTERS));
    const since = performance.now();
    for (;;) {
      try {
        await this.client.withChannel(channel =>
          channel.assertQueue(name, { exclusive: true, durable: false, autoDelete: false }),
        );
        return;
      } catch (error) {
        if (!isLockedByOther(error)) throw error;
        const waitedMs = Math.round(performance.now() - since);
        if (signal.aborted || waitedMs > PATIENCE_MS)
          throw new QueueTakenError(DEAD_LETTERS, `another process has it since ${waitedMs} ms`, { cause: error });
      }
      await sleep(50 + Math.random() * 100, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function unless<T>(signal: AbortSignal, work: T | Promise<T>): Promise<T> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    stop = () => signal.removeEventListener('abort', abort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stop();
  }
}
