import type { NatsClient } from '@core-infra/nats';
import type { DeadLetter, DeadLetterFilter, DeadLetterStore } from '../../stores/dead-letters.js';
import { matches } from '../memory/memory.dead-letters.js';
import { packLetter, unpackLetter } from './letter-bytes.js';
import type { Streams } from './streams.js';

const NO_MESSAGE = 10_037;
/** Left of the largest message for subject and headers, in bytes. */
const HEADROOM = 4_096;
const PARTS = 'x-infra-parts';

interface Found {
  readonly sequence: number;
  readonly subject: string;
  readonly parts: number;
  readonly letter: DeadLetter;
}

/** Dead letters in a stream of their own, each under a subject with its group and id; what is larger than a message may be is in several. */
export class NatsDeadLetters implements DeadLetterStore {
  constructor(
    private readonly client: NatsClient,
    private readonly streams: Streams,
  ) {}

  async add(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void> {
    await this.streams.ensure();
    const most = (this.client.connection.info?.max_payload ?? 1_048_576) - HEADROOM;
    await Promise.all(
      letters.map(async letter => {
        const subject = this.streams.names.letter(letter.group, letter.id);
        const bytes = packLetter(letter);
        const parts = Math.max(1, Math.ceil(bytes.length / most));
        // The first one last: a letter is there when all of it is.
        for (let part = parts - 1; part >= 0; part -= 1)
          await this.client.publish(
            {
              subject: part === 0 ? subject : `${subject}.${part}`,
              data: bytes.subarray(part * most, (part + 1) * most),
              msgId: `${letter.id}/${part}`,
              ...(part === 0 && parts > 1 && { headers: { [PARTS]: String(parts) } }),
            },
            { signal },
          );
      }),
    );
  }

  async list(
    filter: DeadLetterFilter,
    { limit, after }: { readonly limit: number; readonly after?: string },
    signal: AbortSignal,
  ): Promise<readonly DeadLetter[]> {
    const found: DeadLetter[] = [];
    const last = after === undefined ? undefined : await this.find(after);
    for await (const { letter } of this.scan(filter.group, last?.sequence ?? 0, signal)) {
      // Where the last one is gone, ids tell, as they ascend with time.
      if (after !== undefined && !last && letter.id <= after) continue;
      if (matches(letter, filter) && found.push(letter) === limit) break;
    }
    return found;
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    return (await this.find(id))?.letter;
  }

  async remove(ids: readonly string[]): Promise<number> {
    const manager = await this.client.jetstreamManager();
    const { deadStream } = this.streams.names;
    let removed = 0;
    for (const id of ids) {
      const found = await this.find(id);
      if (!found) continue;
      if (await this.delete(found.sequence)) removed += 1;
      if (found.parts > 1) await manager.streams.purge(deadStream, { filter: `${found.subject}.*` });
    }
    return removed;
  }

  async count(filter: DeadLetterFilter, signal: AbortSignal): Promise<number> {
    let count = 0;
    for await (const { letter } of this.scan(filter.group, 0, signal)) if (matches(letter, filter)) count += 1;
    return count;
  }

  private async *scan(group: string | undefined, after: number, signal: AbortSignal): AsyncGenerator<Found> {
    for (let sequence = after; ;) {
      signal.throwIfAborted();
      const found = await this.next(this.streams.names.letters(group), sequence + 1);
      if (!found) return;
      sequence = found.sequence;
      if (found.letter) yield found as Found;
    }
  }

  private async find(id: string): Promise<Found | undefined> {
    // Only an id of ours is part of a subject.
    if (!/^[\w-]+$/.test(id)) return undefined;
    const found = await this.next(`${this.streams.names.dead}.*.${id}`, 1);
    return found?.letter && (found as Found);
  }

  /** The first letter of these subjects from a sequence on; without its content if that is none of ours. */
  private async next(subject: string, from: number): Promise<(Omit<Found, 'letter'> & Partial<Found>) | undefined> {
    await this.streams.ensure();
    const raw = await this.read({ seq: from, next_by_subj: subject });
    if (!raw) return undefined;
    const parts = Number(raw.header.get(PARTS) || 1);
    const bytes: Uint8Array[] = [raw.data];
    for (let part = 1; part < parts; part += 1) {
      const more = await this.read({ last_by_subj: `${raw.subject}.${part}` });
      if (more) bytes.push(more.data);
    }
    const letter = unpackLetter(Buffer.concat(bytes));
    return { sequence: raw.seq, subject: raw.subject, parts, ...(letter && { letter }) };
  }

  private async read(query: { seq: number; next_by_subj: string } | { last_by_subj: string }) {
    const manager = await this.client.jetstreamManager();
    try {
      return await manager.streams.getMessage(this.streams.names.deadStream, query);
    } catch (error) {
      if ((error as { code?: number }).code === NO_MESSAGE) return null;
      throw error;
    }
  }

  private async delete(sequence: number): Promise<boolean> {
    const manager = await this.client.jetstreamManager();
    try {
      return await manager.streams.deleteMessage(this.streams.names.deadStream, sequence, false);
    } catch (error) {
      // Somebody else was quicker.
      if (/no message|not found|sequence/i.test((error as Error).message)) return false;
      throw error;
    }
  }
}
