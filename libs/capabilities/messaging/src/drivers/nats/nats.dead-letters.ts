import type { NatsClient } from '@core-infra/nats';
import type { DeadLetter, DeadLetterFilter, DeadLetterStore } from '../../stores/dead-letters.js';
import { matches } from '../memory/memory.dead-letters.js';
import { packLetter, unpackLetter } from './letter-bytes.js';
import { type Parcel, type ParcelQuery, Parcels } from './parcels.js';
import type { Streams } from './streams.js';

/** A letter, or what is among them and is none. */
interface Found extends Parcel {
  readonly letter?: DeadLetter;
}

/** Dead letters in a stream of their own, each under a subject with its group and id. */
export class NatsDeadLetters implements DeadLetterStore {
  private readonly parcels: Parcels;

  constructor(
    client: NatsClient,
    private readonly streams: Streams,
  ) {
    this.parcels = new Parcels(client, streams.names.deadStream);
  }

  async add(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void> {
    await this.streams.ensure();
    await Promise.all(
      letters.map(async letter => {
        const subject = this.streams.names.letter(letter.group, letter.id);
        await this.parcels.put(subject, packLetter(letter), { msgId: letter.id }, signal);
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
    for await (const letter of this.scan(filter.group, last?.sequence ?? 0, signal)) {
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
    let removed = 0;
    for (const id of ids) {
      const found = await this.find(id);
      if (found && (await this.parcels.remove(found))) removed += 1;
    }
    return removed;
  }

  async count(filter: DeadLetterFilter, signal: AbortSignal): Promise<number> {
    let count = 0;
    for await (const letter of this.scan(filter.group, 0, signal)) if (matches(letter, filter)) count += 1;
    return count;
  }

  private async *scan(group: string | undefined, after: number, signal: AbortSignal): AsyncGenerator<DeadLetter> {
    for (let sequence = after; ;) {
      signal.throwIfAborted();
      const found = await this.read({ next_by_subj: this.streams.names.letters(group), seq: sequence + 1 });
      if (!found) return;
      sequence = found.sequence;
      if (found.letter) yield found.letter;
    }
  }

  private async find(id: string): Promise<Found | undefined> {
    // Only an id of ours is part of a subject.
    if (!/^[\w-]+$/.test(id)) return undefined;
    const found = await this.read({ next_by_subj: `${this.streams.names.dead}.*.${id}`, seq: 1 });
    return found?.letter && found;
  }

  private async read(query: ParcelQuery): Promise<Found | undefined> {
    await this.streams.ensure();
    const parcel = await this.parcels.get(query);
    if (!parcel) return undefined;
    const letter = unpackLetter(parcel.bytes);
    return { ...parcel, ...(letter && { letter }) };
  }
}
