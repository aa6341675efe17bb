import { correctProtocol } from './protocol.js';
import { type Answer, type Exchange, type FetchRequest, recordSets } from './record-sets.js';

/** Bytes of the head of a batch. */
const HEAD = 61;
/** Where in it are its length, counted from there on, and the number of its last record. */
const LENGTH_AT = 8;
const AFTER_LENGTH = 12;
const MAGIC_AT = 16;
const LAST_DELTA_AT = 23;
/** The format of batches since Kafka 0.11. */
const MAGIC = 2;

/**
 * Of a compacted topic the broker keeps heads of batches that have no records any more. kafkajs drops them, and so asks for the same offset for ever
 * when there is nothing else in an answer. Corrected where kafkajs decodes answers, once: such a head counts as a control record, which is
 * passed over.
 */
export function correctEmptyBatches(): void {
  correctProtocol<FetchRequest, Exchange>('Fetch', 'empty-batches', exchange => {
    const { response } = exchange;
    const decode = async (raw: Buffer): Promise<Answer> =>
      withHeads(await response.decode(raw), raw, exchange.request.apiVersion);
    return { ...exchange, response: { ...response, decode } };
  });
}

function withHeads(answer: Answer, raw: Buffer, version: number): Answer {
  const partitions = answer.responses.flatMap(topic => topic.partitions);
  if (partitions.every(({ messages }) => messages.length > 0)) return answer;
  let index = 0;
  for (const { from, to } of recordSets(raw, version)) {
    const { messages } = partitions[index++]!;
    const last = messages.length === 0 ? lastOffsetOf(raw.subarray(from, to)) : undefined;
    if (last !== undefined) messages.push(controlRecord(last));
  }
  return answer;
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

/** What kafkajs passes over. */
export function controlRecord(offset: bigint): object {
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
