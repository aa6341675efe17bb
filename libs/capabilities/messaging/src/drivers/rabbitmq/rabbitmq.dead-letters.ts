import { setTimeout as sleep } from 'node:timers/promises';
import type { RabbitmqClient, RabbitmqMessage } from '@core-infra/rabbitmq';
import type { DeadLetter, DeadLetterFilter, DeadLetterStore } from '../../stores/dead-letters.js';
import { matches } from '../memory/memory.dead-letters.js';
import { isLockedByOther } from './held-queue.js';
import { DEAD_LETTERS, lockOf } from './names.js';
import type { QueueSets } from './queue-sets.js';
import { fromAmqp, toAmqpWhole } from './wire.js';

/** How many are read at a time: letters behind so many are not found before some are removed. */
const MOST = 10_000;
/** A queue that hands over nothing for so long has no more, in milliseconds. */
const SILENT_MS = 1_000;

type Channel = Parameters<Parameters<RabbitmqClient['withChannel']>[0]>[0];
type ConsumeMessage = RabbitmqMessage['raw'];
type Seen = 'keep' | 'remove' | 'enough';

/**
 * Dead letters in a queue: messages as they came, with what is known of their failure in headers. To look at them is to take them and give them back, which
 * one process at a time may do.
 */
export class RabbitmqDeadLetters implements DeadLetterStore {
  private turn: Promise<unknown> = Promise.resolve();

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

  async list(
    filter: DeadLetterFilter,
    { limit, after }: { readonly limit: number; readonly after?: string },
    signal: AbortSignal,
  ): Promise<readonly DeadLetter[]> {
    let found: DeadLetter[] = [];
    const shorten = (): void => void (found = found.toSorted(byId).slice(0, limit));
    await this.scan(signal, letter => {
      if (!matches(letter, filter) || (after !== undefined && letter.id <= after)) return 'keep';
      found.push(letter);
      if (found.length > limit * 2) shorten();
      return 'keep';
    });
    shorten();
    return found;
  }

  async get(id: string, signal: AbortSignal): Promise<DeadLetter | undefined> {
    let found: DeadLetter | undefined;
    await this.scan(signal, letter => {
      if (letter.id !== id) return 'keep';
      found = letter;
      return 'enough';
    });
    return found;
  }

  async remove(ids: readonly string[], signal: AbortSignal): Promise<number> {
    const wanted = new Set(ids);
    let removed = 0;
    await this.scan(signal, ({ id }) => {
      if (!wanted.delete(id)) return 'keep';
      removed += 1;
      return 'remove';
    });
    return removed;
  }

  async count(filter: DeadLetterFilter, signal: AbortSignal): Promise<number> {
    let count = 0;
    await this.scan(signal, letter => {
      if (matches(letter, filter)) count += 1;
      return 'keep';
    });
    return count;
  }

  /** One after another, in this process and among all. */
  private scan(signal: AbortSignal, see: (letter: DeadLetter) => Seen): Promise<void> {
    const scanned = this.turn.then(async () => {
      await this.sets.queue(DEAD_LETTERS);
      await this.lock(signal);
      try {
        await this.client.withChannel(channel => this.read(channel, signal, see));
      } finally {
        const name = this.client.queueName(lockOf(DEAD_LETTERS));
        // Where the connection is gone, so is the lock.
        await this.client.withChannel(channel => channel.deleteQueue(name)).catch(() => undefined);
      }
    });
    this.turn = scanned.catch(() => undefined);
    return scanned;
  }

  private async read(channel: Channel, signal: AbortSignal, see: (letter: DeadLetter) => Seen): Promise<void> {
    const queue = this.client.queueName(DEAD_LETTERS);
    const { messageCount } = await channel.checkQueue(queue);
    const expected = Math.min(messageCount, MOST);
    if (expected === 0) return;
    await channel.prefetch(expected);
    let seen = 0;
    let removed = 0;
    await new Promise<void>((resolve, reject) => {
      const silence = setTimeout(resolve, SILENT_MS);
      const abort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
      const onMessage = (raw: ConsumeMessage | null): void => {
        silence.refresh();
        if (raw === null || seen === expected) return;
        seen += 1;
        const letter = letterOf(raw);
        const what = letter ? see(letter) : 'keep';
        if (what === 'remove') {
          channel.ack(raw);
          removed += 1;
        }
        if (what === 'enough' || seen === expected) resolve();
      };
      channel.consume(queue, onMessage).catch(reject);
      channel.once('close', () => resolve());
    });
    // They go back in their order with the channel; a rejection of many would put them back in any.
    await channel.close();
    await this.returned(queue, messageCount - removed, signal);
  }

  /** Until they are back, the next one to look would find nothing. */
  private async returned(queue: string, expected: number, signal: AbortSignal): Promise<void> {
    for (let times = 0; times < 100 && !signal.aborted; times += 1) {
      const { messages } = await this.client.depth(DEAD_LETTERS);
      if (messages >= expected) return;
      await sleep(20, undefined, { signal });
    }
  }

  private async lock(signal: AbortSignal): Promise<void> {
    const name = this.client.queueName(lockOf(DEAD_LETTERS));
    for (;;) {
      try {
        await this.client.withChannel(channel =>
          channel.assertQueue(name, { exclusive: true, durable: false, autoDelete: false }),
        );
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!isLockedByOther(error)) throw error;
      }
      await sleep(50 + Math.random() * 150, undefined, { signal });
    }
  }
}

/** @returns nothing of a message that is no dead letter of ours: it stays */
function letterOf(raw: ConsumeMessage): DeadLetter | undefined {
  try {
    const { message, extra } = fromAmqp({
      content: raw.content,
      properties: raw.properties,
      headers: raw.properties.headers ?? {},
    });
    const { letter, topic } = extra;
    if (letter === undefined || topic === undefined) return undefined;
    return { ...(JSON.parse(letter) as Omit<DeadLetter, 'message'>), message: { ...message, topic } };
  } catch {
    return undefined;
  }
}

function byId(a: DeadLetter, b: DeadLetter): number {
  return a.id < b.id ? -1 : Number(a.id > b.id);
}
