import type { DeadLetter, DeadLetterFilter, DeadLetterStore } from '../../stores/dead-letters.js';

const most = 10_000;

/** Dead letters of this process; of more than 10,000 the oldest go. */
export class MemoryDeadLetters implements DeadLetterStore {
  private readonly letters = new Map<string, DeadLetter>();

  // eslint-disable-next-line typescript/require-await -- as the port has it
  async add(letters: readonly DeadLetter[]): Promise<void> {
    for (const letter of letters) {
      this.letters.set(letter.id, letter);
      if (this.letters.size > most) this.letters.delete(this.letters.keys().next().value!);
    }
  }

  // eslint-disable-next-line typescript/require-await -- as above
  async list(
    filter: DeadLetterFilter,
    { limit, after }: { limit: number; after?: string },
  ): Promise<readonly DeadLetter[]> {
    return [...this.letters.values()]
      .filter(letter => matches(letter, filter) && (after === undefined || letter.id > after))
      .slice(0, limit);
  }

  // eslint-disable-next-line typescript/require-await -- as above
  async get(id: string): Promise<DeadLetter | undefined> {
    return this.letters.get(id);
  }

  // eslint-disable-next-line typescript/require-await -- as above
  async remove(ids: readonly string[]): Promise<number> {
    return ids.filter(id => this.letters.delete(id)).length;
  }

  // eslint-disable-next-line typescript/require-await -- as above
  async count(filter: DeadLetterFilter): Promise<number> {
    return [...this.letters.values()].filter(letter => matches(letter, filter)).length;
  }

  // eslint-disable-next-line typescript/require-await -- as above
  async sizes(): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>();
    for (const { group } of this.letters.values()) sizes.set(group, (sizes.get(group) ?? 0) + 1);
    return sizes;
  }
}

/** Whether a letter is one that a filter asks for. */
export function matches(
  { group, message, error, reason, lastAttemptAt }: DeadLetter,
  filter: DeadLetterFilter,
): boolean {
  return (
    (filter.group === undefined || filter.group === group) &&
    (filter.topic === undefined || filter.topic === message.topic) &&
    (filter.key === undefined || filter.key === message.key) &&
    (filter.reason === undefined || filter.reason === reason) &&
    (filter.error === undefined || filter.error === error.code || filter.error === error.name) &&
    (filter.since === undefined || lastAttemptAt >= filter.since) &&
    (filter.until === undefined || lastAttemptAt <= filter.until)
  );
}
