import { createRequire } from 'node:module';

/** Bytes of the head of a batch. */
const HEAD = 61;
/** Where in it are its length, counted from there on, and the number of its last record. */
const LENGTH_AT = 8;
const AFTER_LENGTH = 12;
const MAGIC_AT = 16;
const LAST_DELTA_AT = 23;
/** The format of batches since Kafka 0.11. */
const MAGIC = 2;

interface Answer {
  readonly responses: readonly { readonly partitions: readonly { readonly messages: object[] }[] }[];
}

interface Exchange {
  readonly request: { readonly apiVersion: number };
  readonly response: { decode(raw: Buffer): Promise<Answer>; parse(answer: Answer): unknown };
}

interface FetchDefinition {
  protocol(of: { version: number }): (request: object) => Exchange;
}

const corrected = Symbol.for('core-infra.kafka.empty-batches');

/**
 * Of a compacted topic the broker keeps heads of batches that have no records any more. kafkajs drops them, and so asks for the same offset for ever
 * when there is nothing else in an answer. Corrected where kafkajs decodes answers, once: such a head counts as a control record, which is
 * passed over.
 */
export function correctEmptyBatches(): void {
  const { requests } = createRequire(__filename)('kafkajs/src/protocol/requests') as {
    requests: { Fetch?: FetchDefinition & { [corrected]?: true } };
  };
  const definition = requests.Fetch;
  if (!definition || definition[corrected]) return;
  definition[corrected] = true;
  const protocol = definition.protocol.bind(definition);
  definition.protocol = of => {
    const make = protocol(of);
    return request => {
      const exchange = make(request);
      const { response } = exchange;
      const decode = async (raw: Buffer): Promise<Answer> =>
        withHeads(await response.decode(raw), raw, exchange.request.apiVersion);
      return { ...exchange, response: { ...response, decode } };
    };
  };
}

function withHeads(answer: Answer, raw: Buffer, version: number): Answer {
  const partitions = answer.responses.flatMap(topic => topic.partitions);
  if (partitions.every(({ messages }) => messages.length > 0)) return answer;
  let index = 0;
  for (const records of recordSets(raw, version)) {
    const { messages } = partitions[index++]!;
    const last = messages.length === 0 ? lastOffsetOf(records) : undefined;
    if (last !== undefined) messages.push(controlRecord(last));
  }
  return answer;
}

/** The bytes of the records of each partition, in their order; the fields before them are those of versions 4 to 11. */
function* recordSets(raw: Buffer, version: number): Iterable<Buffer> {
  let at = 4 + (version >= 7 ? 6 : 0);
  const count = (): number => raw.readInt32BE((at += 4) - 4);
  for (let topics = count(); topics > 0; topics -= 1) {
    at += 2 + raw.readInt16BE(at);
    for (let partitions = count(); partitions > 0; partitions -= 1) {
      at += 4 + 2 + 8 + 8 + (version >= 5 ? 8 : 0);
      const aborted = Math.max(0, count()); // transactions
      at += aborted * 16 + (version >= 11 ? 4 : 0);
      const size = Math.max(0, count());
      yield raw.subarray(at, at + size);
      at += size;
    }
  }
}

/** Of the batches that are there in full. */
function lastOffsetOf(records: Buffer): bigint | undefined {
  let last: bigint | undefined;
  for (let at = 0; at + HEAD <= records.length;) {
    const end = at + AFTER_LENGTH + records.readInt32BE(at + LENGTH_AT);
    if (end > records.length || records.readInt8(at + MAGIC_AT) !== MAGIC) break;
    last = records.readBigInt64BE(at) + BigInt(records.readInt32BE(at + LAST_DELTA_AT));
    at = end;
  }
  return last;
}

function controlRecord(offset: bigint): object {
  return {
    offset: String(offset),
    key: null,
    value: null,
    headers: {},
    timestamp: '0',
    isControlRecord: true,
    batchContext: { producerId: '-1', inTransaction: false },
  };
}
