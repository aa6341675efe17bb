/** What is parked of one partition. */
interface Parked {
  readonly keys: number;
  /** Messages. */
  readonly size: number;
}

/** The partitions that members of this process have, by group, for a parking lot that keeps something of each. */
export class ParkedPartitions<P extends Parked> {
  private readonly groups = new Map<string, Map<string, P>>();

  at(group: string, topic: string, number: number): P | undefined {
    return this.groups.get(group)?.get(nameOf(topic, number));
  }

  add(group: string, topic: string, number: number, parked: P): void {
    let own = this.groups.get(group);
    if (!own) this.groups.set(group, (own = new Map()));
    own.set(nameOf(topic, number), parked);
  }

  /** Forgets it. @returns what it was */
  take(group: string, topic: string, number: number): P | undefined {
    const parked = this.at(group, topic, number);
    this.groups.get(group)?.delete(nameOf(topic, number));
    return parked;
  }

  /** Those of a group, or of all. */
  of(group: string | undefined): P[] {
    const chosen = group === undefined ? [...this.groups.values()] : [this.groups.get(group) ?? new Map<string, P>()];
    return chosen.flatMap(partitions => [...partitions.values()]);
  }

  size(group: string | undefined): { readonly keys: number; readonly messages: number } {
    let [keys, messages] = [0, 0];
    for (const parked of this.of(group)) {
      keys += parked.keys;
      messages += parked.size;
    }
    return { keys, messages };
  }
}

const nameOf = (topic: string, number: number): string => `${topic}/${number}`;
