import type { RabbitmqClient, RabbitmqMessage } from '@core-infra/rabbitmq';
import type { DeadLetter, DeadLetterFilter } from '../../stores/dead-letters.js';
import { matches } from '../memory/memory.dead-letters.js';
import { DEAD_LETTERS } from './names.js';
import { WholeQueue } from './whole-queue.js';
import { fromAmqp } from './wire.js';

/** Bytes of letters that are kept with the index; the others are had again when they are asked for. */
const IN_MEMORY = 32 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

interface Entry {
  /** What a filter asks for. */
  readonly facts: DeadLetter;
  /** As it came, while there is memory for it. */
  letter?: DeadLetter;
  /** More than one where it was added again, as its confirmation was lost. */
  messages: RabbitmqMessage[];
  /** Who waits for it to come again. */
  asked?: PromiseWithResolvers<DeadLetter>;
}

/** All dead letters, in hand for as long as it is open: found by what is known of them, each removed by itself. */
export class DeadLetterIndex {
  isLost = false;
  private readonly entries = new Map<string, Entry>();
  private readonly queue: WholeQueue;
  private bytes = 0;

  constructor(client: RabbitmqClient) {
    this.queue = new WholeQueue(client, DEAD_LETTERS, {
      arrived: message => this.arrived(message),
      lost: () => this.lose(),
    });
  }

  open(signal: AbortSignal): Promise<void> {
    return this.queue.open(signal);
  }

  close(): Promise<void> {
    this.lose();
    return this.queue.close();
  }

  /** Oldest first. */
  async list(filter: DeadLetterFilter, limit: number, after?: string): Promise<readonly DeadLetter[]> {
    const ids: string[] = [];
    for (const [id, { facts }] of this.entries)
      if ((after === undefined || id > after) && matches(facts, filter)) ids.push(id);
    const letters: DeadLetter[] = [];
    for (const id of ids.toSorted().slice(0, limit)) letters.push(await this.whole(this.entries.get(id)!));
    return letters;
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    const entry = this.entries.get(id);
    return entry && this.whole(entry);
  }

  count(filter: DeadLetterFilter): number {
    let count = 0;
    for (const { facts } of this.entries.values()) if (matches(facts, filter)) count += 1;
    return count;
  }

  /** @returns how many the broker was told of: of a letter that is not there, nothing */
  remove(ids: readonly string[]): number {
    let removed = 0;
    for (const id of ids) {
      const entry = this.entries.get(id);
      if (!entry) continue;
      const told = entry.messages.map(message => message.ack());
      if (!told.includes('done')) continue;
      this.entries.delete(id);
      if (entry.letter) this.bytes -= sizeOf(entry.letter);
      removed += 1;
    }
    return removed;
  }

  private arrived(message: RabbitmqMessage): void {
    const letter = letterOf(message);
    message.forget();
    if (!letter) return; // none of ours: it stays
    const known = this.entries.get(letter.id);
    if (known) {
      known.messages = [...known.messages.filter(({ isSettled }) => !isSettled), message];
      known.asked?.resolve(letter);
      known.asked = undefined;
      return;
    }
    const entry: Entry = { facts: factsOf(letter), messages: [message] };
    const bytes = sizeOf(letter);
    if (this.bytes + bytes <= IN_MEMORY) {
      entry.letter = letter;
      this.bytes += bytes;
    }
    this.entries.set(letter.id, entry);
  }

  private whole(entry: Entry): Promise<DeadLetter> | DeadLetter {
    if (entry.letter) return entry.letter;
    if (this.isLost) throw lost();
    const { promise } = (entry.asked ??= Promise.withResolvers<DeadLetter>());
    // Given back, it is delivered again at once.
    for (const message of entry.messages) message.nack();
    return promise;
  }

  private lose(): void {
    this.isLost = true;
    for (const { asked } of this.entries.values()) {
      asked?.promise.catch(() => undefined);
      asked?.reject(lost());
    }
    this.entries.clear();
  }
}

const lost = (): Error => new Error('The dead letters are the broker’s again: the connection was lost.');

function factsOf(letter: DeadLetter): DeadLetter {
  const { message, error } = letter;
  const { name, code } = error;
  return {
    ...letter,
    message: { ...message, headers: {}, body: NOTHING },
    error: { name, message: '', ...(code !== undefined && { code }) },
  };
}

/** About as much memory as it takes. */
function sizeOf({ message, error }: DeadLetter): number {
  let bytes = message.body.length + (error.stack?.length ?? 0) + error.message.length + 1_000;
  for (const [name, value] of Object.entries(message.headers)) bytes += name.length + value.length;
  return bytes;
}

/** @returns nothing of a message that is no dead letter of ours */
function letterOf(delivered: RabbitmqMessage): DeadLetter | undefined {
  try {
    const { message, extra } = fromAmqp(delivered);
    const { letter, topic } = extra;
    if (letter === undefined || topic === undefined) return undefined;
    return { ...(JSON.parse(letter) as Omit<DeadLetter, 'message'>), message: { ...message, topic } };
  } catch {
    return undefined;
  }
}
