import type { KafkaMessage, KafkaReader } from '@core-infra/kafka';
import type { DeadLetter } from '../../stores/dead-letters.js';
import { Joiner, unpack } from './parcel.js';

/** Header with the number of a record's part, and of all parts. */
export const PART = 'x-infra-part';

/** A letter without its bytes, and where they are. */
interface Entry {
  readonly letter: DeadLetter;
  readonly offsets: readonly bigint[];
}

const nothing = Buffer.alloc(0);

/** What a topic of dead letters has, as far as it was read. */
export class DeadLetterIndex {
  private readonly entries = new Map<string, Entry>();
  private readonly offsets = new Map<string, bigint[]>();
  private joiner = new Joiner();
  private next = 0n;
  private refreshing?: Promise<void>;

  constructor(
    private readonly reader: KafkaReader,
    readonly topic: string,
  ) {}

  /** Without their bytes. */
  get letters(): readonly DeadLetter[] {
    return [...this.entries.values()].map(({ letter }) => letter);
  }

  /** How many records a letter is spread over; none when it is not there. */
  partsOf(id: string): number {
    return this.entries.get(id)?.offsets.length ?? 0;
  }

  /** Reads what has come since. */
  async refresh(signal: AbortSignal): Promise<void> {
    // One that is under way may have begun before what is asked for was written.
    await this.refreshing?.catch(() => undefined);
    this.refreshing ??= this.readOn(signal).finally(() => (this.refreshing = undefined));
    await this.refreshing;
  }

  /** The letter with its bytes. */
  async read(id: string, signal: AbortSignal): Promise<DeadLetter | undefined> {
    const entry = this.entries.get(id);
    if (!entry) return undefined;
    const parts: Buffer[] = [];
    for (const offset of entry.offsets)
      for await (const messages of this.reader.read(this.topic, 0, { from: offset, to: offset + 1n }, signal))
        for (const { value } of messages) parts.push(value ?? nothing);
    if (parts.length !== entry.offsets.length) return undefined; // removed by another process, and compacted
    return letterOf(Buffer.concat(parts));
  }

  private async readOn(signal: AbortSignal): Promise<void> {
    const [bounds] = await this.reader.bounds(this.topic);
    const { start, end } = bounds!;
    if (end < this.next) this.forget(); // the topic was made anew
    const from = this.next > start ? this.next : start;
    for await (const messages of this.reader.read(this.topic, 0, { from, to: end }, signal)) {
      for (const message of messages) this.take(message);
      this.next = messages.at(-1)!.offset + 1n;
    }
    this.next = end;
  }

  private take(message: KafkaMessage): void {
    const place = partOf(message);
    if (!place) return;
    const { id, part, parts } = place;
    if (!message.value) {
      this.entries.delete(id);
      this.offsets.delete(id);
      return;
    }
    const offsets = part === 0 ? [] : (this.offsets.get(id) ?? []);
    offsets[part] = message.offset;
    this.offsets.set(id, offsets);
    const packed = this.joiner.add(id, part, parts, message.value);
    if (!packed) return;
    this.offsets.delete(id);
    const letter = letterOf(packed);
    this.entries.set(id, { letter: { ...letter, message: { ...letter.message, body: nothing } }, offsets });
  }

  private forget(): void {
    this.entries.clear();
    this.offsets.clear();
    this.joiner = new Joiner();
    this.next = 0n;
  }
}

function letterOf(packed: Buffer): DeadLetter {
  const { meta, body } = unpack<DeadLetter>(packed);
  return { ...meta, message: { ...meta.message, body } };
}

/** Which part a record is, of how many. */
function partOf({ key, headers }: KafkaMessage): { id: string; part: number; parts: number } | undefined {
  const found = /^([^/]+)\/(\d+)$/.exec(key?.toString() ?? '');
  if (!found) return undefined;
  const header = headers[PART];
  const parts = Number(/\/(\d+)$/.exec(Buffer.isBuffer(header) ? header.toString() : '')?.[1] ?? 1);
  return { id: found[1]!, part: Number(found[2]), parts };
}
