import type { KafkaClient } from '@core-infra/kafka';
import type { DeadLetter, DeadLetterFilter, DeadLetterStore } from '../../stores/dead-letters.js';
import { matches } from '../memory/memory.dead-letters.js';
import { DeadLetterIndex, PART } from './dead-letter.index.js';
import type { KafkaNames } from './names.js';
import { pack, partsOf } from './parcel.js';
import type { KafkaTopics } from './topics.js';

/**
 * Dead letters in a compacted topic for each group, of one partition: the key is the letter's id and the number of its part, and a record
 * without a value removes it. What is there is known from reading the topic, all of it at first and then what is new; bytes are read again
 * when a letter is asked for.
 */
export class KafkaDeadLetters implements DeadLetterStore {
  private readonly indexes = new Map<string, DeadLetterIndex>();

  constructor(
    private readonly client: KafkaClient,
    private readonly names: KafkaNames,
    private readonly topics: KafkaTopics,
  ) {}

  async add(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void> {
    const records = [];
    for (const letter of letters) {
      const topic = this.names.deadLetters(letter.group);
      await this.topics.ensureAs({ topic, partitions: 1, config: { 'cleanup.policy': 'compact' } });
      const { body, ...message } = letter.message;
      const parts = partsOf(pack({ ...letter, message }, body));
      for (const [part, value] of parts.entries())
        records.push({
          topic,
          key: `${letter.id}/${part}`,
          value,
          headers: {
            [PART]: `${part}/${parts.length}`,
            // For those who look at the topic with other tools.
            'x-infra-reason': letter.reason,
            'x-infra-topic': letter.message.topic,
          },
        });
    }
    await this.write(records, signal);
  }

  async list(
    filter: DeadLetterFilter,
    { limit, after }: { readonly limit: number; readonly after?: string },
    signal: AbortSignal,
  ): Promise<readonly DeadLetter[]> {
    const found = (await this.search(filter, signal))
      .filter(({ letter }) => after === undefined || letter.id > after)
      .toSorted((one, other) => (one.letter.id < other.letter.id ? -1 : 1))
      .slice(0, limit);
    const letters: DeadLetter[] = [];
    for (const { index, letter } of found) {
      const whole = await index.read(letter.id, signal);
      if (whole) letters.push(whole);
    }
    return letters;
  }

  async get(id: string, signal: AbortSignal): Promise<DeadLetter | undefined> {
    for (const index of await this.refreshed(undefined, signal)) {
      const letter = await index.read(id, signal);
      if (letter) return letter;
    }
    return undefined;
  }

  async remove(ids: readonly string[], signal: AbortSignal): Promise<number> {
    let removed = 0;
    const records = [];
    for (const index of await this.refreshed(undefined, signal))
      for (const id of ids) {
        const parts = index.partsOf(id);
        if (parts > 0) removed += 1;
        for (let part = 0; part < parts; part += 1)
          records.push({ topic: index.topic, key: `${id}/${part}`, value: null });
      }
    await this.write(records, signal);
    return removed;
  }

  async count(filter: DeadLetterFilter, signal: AbortSignal): Promise<number> {
    return (await this.search(filter, signal)).length;
  }

  /** Only what has come since the last time is read. */
  async sizes(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>();
    for (const { letters } of await this.refreshed(undefined, signal))
      for (const { group } of letters) sizes.set(group, (sizes.get(group) ?? 0) + 1);
    return sizes;
  }

  private async search(filter: DeadLetterFilter, signal: AbortSignal) {
    const indexes = await this.refreshed(filter.group, signal);
    return indexes.flatMap(index =>
      index.letters.filter(letter => matches(letter, filter)).map(letter => ({ index, letter })),
    );
  }

  /** What is known of the letters of a group, or of all groups, as of now. */
  private async refreshed(group: string | undefined, signal: AbortSignal): Promise<readonly DeadLetterIndex[]> {
    const existing = new Set(await this.client.admin.topics());
    const wanted =
      group === undefined
        ? [...existing].filter(topic => this.names.isOfDeadLetters(topic))
        : [this.names.deadLetters(group)].filter(topic => existing.has(topic));
    return Promise.all(
      wanted.map(async topic => {
        let index = this.indexes.get(topic);
        if (!index) this.indexes.set(topic, (index = new DeadLetterIndex(this.client.reader, topic)));
        await index.refresh(signal);
        return index;
      }),
    );
  }

  private async write(
    records: readonly { topic: string; key: string; value: Buffer | null; headers?: Record<string, string> }[],
    signal: AbortSignal,
  ): Promise<void> {
    const results = await this.client.producer.sendBatch(records, { signal });
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
}
