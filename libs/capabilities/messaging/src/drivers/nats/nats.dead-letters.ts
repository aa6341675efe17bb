import type { NatsClient } from '@core-infra/nats';
import type { DeadLetter, DeadLetterFilter, DeadLetterStore } from '../../stores/dead-letters.js';
import { matches } from '../memory/memory.dead-letters.js';
import { packLetter, unpackLetter } from './letter-bytes.js';
import { type Parcel, Parcels } from './parcels.js';
import { read } from './reading.js';
import type { Streams } from './streams.js';

interface Found extends Parcel {
  readonly letter: DeadLetter;
}

/** Bodies may be large: so many are in memory at once. */
const AT_ONCE = 50;
/** Of how many lists the end is remembered. */
const MOST_PLACES = 1_000;

/** Dead letters in a stream of their own, each under a subject with its group and id. */
export class NatsDeadLetters implements DeadLetterStore {
  private readonly parcels: Parcels;
  /** Where lists have ended, by the id of the last letter. */
  private readonly places = new Map<string, number>();

  constructor(
    private readonly client: NatsClient,
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
    const last = after === undefined ? 0 : (this.places.get(after) ?? (await this.find(after))?.sequence);
    for await (const { letter, sequence } of this.scan(filter, (last ?? 0) + 1, signal)) {
      // Where nothing is known of the last one any more, ids tell, as they ascend with time.
      if (last === undefined && letter.id <= after!) continue;
      if (found.push(letter) < limit) continue;
      this.remember(letter.id, sequence);
      break;
    }
    return found;
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    return (await this.find(id))?.letter;
  }

  async remove(ids: readonly string[]): Promise<number> {
    const removed = await Promise.all(
      ids
        .filter((id, at) => ids.indexOf(id) === at)
        .map(async id => {
          const found = await this.find(id);
          return found !== undefined && (await this.parcels.remove(found));
        }),
    );
    return removed.filter(Boolean).length;
  }

  async count(filter: DeadLetterFilter, signal: AbortSignal): Promise<number> {
    let count = 0;
    for await (const _found of this.scan(filter, 1, signal)) count += 1;
    return count;
  }

  /** Of all groups together, as health tells them: by group they would have to be read. */
  async sizes(): Promise<ReadonlyMap<string, number>> {
    return new Map([['', await this.streams.sizeOf(this.streams.names.deadStream)]]);
  }

  /** Who lists page by page may remove each before the next. */
  private remember(id: string, sequence: number): void {
    this.places.delete(id);
    this.places.set(id, sequence);
    if (this.places.size > MOST_PLACES) this.places.delete(this.places.keys().next().value!);
  }

  private async *scan(
    filter: DeadLetterFilter,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly letter: DeadLetter; readonly sequence: number }> {
    const { names } = this.streams;
    await this.streams.ensure();
    const reading = { stream: names.deadStream, filter: names.letters(filter.group), from, atOnce: AT_ONCE };
    for await (const entry of read(this.client, reading, signal)) {
      const letter = unpackLetter((await this.parcels.whole(entry)).bytes);
      if (letter && matches(letter, filter)) yield { letter, sequence: entry.sequence };
    }
  }

  private async find(id: string): Promise<Found | undefined> {
    // Only an id of ours is part of a subject.
    if (!/^[\w-]+$/.test(id)) return undefined;
    await this.streams.ensure();
    const subject = `${this.streams.names.dead}.*.${id}`;
    const parcel = await this.parcels.get({ next_by_subj: subject, seq: 1 });
    const letter = parcel && unpackLetter(parcel.bytes);
    return letter && { ...parcel, letter };
  }
}
