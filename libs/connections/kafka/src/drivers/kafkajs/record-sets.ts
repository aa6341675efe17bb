/** An answer to a fetch, as kafkajs decodes it. */
export interface Answer {
  readonly responses: readonly { readonly partitions: readonly { readonly messages: object[] }[] }[];
}

/** A partition that is asked for. */
export interface FetchedPartition {
  readonly partition: number;
  readonly fetchOffset: string;
}

export interface FetchRequest {
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly FetchedPartition[] }[];
}

export interface Exchange {
  readonly request: { readonly apiVersion: number };
  readonly response: { decode(raw: Buffer): Promise<Answer>; parse(answer: Answer): unknown };
}

/** Where in an answer the records of a partition are. */
export interface RecordSet {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** The records of each partition, in their order; the fields before them are those of versions 4 to 11. */
export function* recordSets(raw: Buffer, version: number): Iterable<RecordSet> {
  let at = 4 + (version >= 7 ? 6 : 0);
  const count = (): number => raw.readInt32BE((at += 4) - 4);
  for (let topics = count(); topics > 0; topics -= 1) {
    const name = at + 2;
    at = name + raw.readInt16BE(at);
    const topic = raw.toString('utf8', name, at);
    for (let partitions = count(); partitions > 0; partitions -= 1) {
      const partition = raw.readInt32BE(at);
      at += 4 + 2 + 8 + 8 + (version >= 5 ? 8 : 0);
      const aborted = Math.max(0, count()); // transactions
      at += aborted * 16 + (version >= 11 ? 4 : 0);
      const size = Math.max(0, count());
      yield { topic, partition, from: at, to: at + size };
      at += size;
    }
  }
}
