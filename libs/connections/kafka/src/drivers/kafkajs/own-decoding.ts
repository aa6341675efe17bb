import { type Batch, CompressionCodecs } from 'kafkajs';
import { type Decoded, decodeBatches } from '../../consumer/record-batches.js';
import type { KafkaMessage } from '../../ports/consumer.js';
import { controlRecord } from './empty-batches.js';
import type { FetchingBroker, GroupCluster } from './internals.js';
import { correctProtocol } from './protocol.js';
import { type Answer, type Exchange, type FetchedPartition, type FetchRequest, recordSets } from './record-sets.js';

/** Answers of these versions have the same fields, as far as we look at them. */
const FIRST_VERSION = 4;
const LAST_VERSION = 11;
/** How many bytes say how many there are of records. */
const SIZE = 4;

const isOurs = Symbol('core-infra.kafka.decoded-here');
const decoded = Symbol('core-infra.kafka.records');

type OurPartition = FetchedPartition & { [isOurs]?: true };

/** What kafkajs is given in place of all records of a partition: it knows how far they go. */
interface Decoding {
  readonly [decoded]: readonly KafkaMessage[];
}

/** What was fetched of a partition, if it was decoded here. */
export function decodedOf({ messages }: Batch): readonly KafkaMessage[] | undefined {
  return (messages[0] as Partial<Decoding> | undefined)?.[decoded];
}

/** Of what this member of a group fetches, the records are decoded here. */
export function decodeHere(cluster: GroupCluster): void {
  const watched = new WeakSet<FetchingBroker>();
  const find = cluster.findBroker.bind(cluster) as (node: { nodeId: string }) => Promise<FetchingBroker>;
  const findOurs = async (node: { nodeId: string }): Promise<FetchingBroker> => {
    const broker = await find(node);
    if (watched.has(broker)) return broker;
    watched.add(broker);
    const fetch = broker.fetch.bind(broker);
    broker.fetch = request => {
      // kafkajs makes other topics of these, with the same partitions.
      for (const { partitions } of (request as FetchRequest).topics)
        for (const partition of partitions) (partition as OurPartition)[isOurs] = true;
      return fetch(request);
    };
    return broker;
  };
  cluster.findBroker = findOurs as unknown as GroupCluster['findBroker'];
}

/**
 * kafkajs makes a decoder for every record, counts in objects of 64 bits, and copies all headers of a record for each of them. Of answers to our members,
 * it decodes all but the records; other consumers of the process are not touched.
 */
export function correctDecoding(): void {
  correctProtocol<FetchRequest, Exchange>('Fetch', 'own-decoding', (exchange, request) => {
    const { response } = exchange;
    const { apiVersion } = exchange.request;
    const [first] = request.topics[0]?.partitions ?? [];
    if (!(first as OurPartition | undefined)?.[isOurs]) return exchange;
    if (apiVersion < FIRST_VERSION || apiVersion > LAST_VERSION) return exchange;
    const decode = async (raw: Buffer): Promise<Answer> =>
      (await decodeAnswer(raw, apiVersion, request, bare => response.decode(bare))) ?? response.decode(raw);
    return { ...exchange, response: { ...response, decode } };
  });
}

/** @returns undefined when kafkajs has to decode it, since there are transactions in it, or records of old formats */
async function decodeAnswer(
  raw: Buffer,
  version: number,
  request: FetchRequest,
  decodeBare: (raw: Buffer) => Promise<Answer>,
): Promise<Answer | undefined> {
  const bare: Buffer[] = [];
  const found: (Decoded | undefined)[] = [];
  let before = 0;
  for (const { topic, partition, from, to } of recordSets(raw, version)) {
    if (from === to) {
      found.push(undefined);
      continue;
    }
    const records = await decodeBatches(raw.subarray(from, to), askedFor(request, topic, partition), decompress);
    if (!records) return undefined;
    found.push(records);
    bare.push(raw.subarray(before, from - SIZE), Buffer.alloc(SIZE));
    before = to;
  }
  bare.push(raw.subarray(before));
  const answer = await decodeBare(Buffer.concat(bare));
  const partitions = answer.responses.flatMap(topic => topic.partitions);
  for (const [index, records] of found.entries())
    if (records?.lastOffset !== undefined) partitions[index]!.messages.push(asOne(records, records.lastOffset));
  return answer;
}

/** kafkajs goes on behind the last offset. One without records is passed over. */
function asOne({ messages }: Decoded, lastOffset: bigint): object {
  const one = controlRecord(lastOffset);
  return messages.length === 0 ? one : { ...one, isControlRecord: false, [decoded]: messages };
}

function askedFor({ topics }: FetchRequest, topic: string, partition: number): bigint {
  for (const asked of topics)
    if (asked.topic === topic)
      for (const each of asked.partitions) if (each.partition === partition) return BigInt(each.fetchOffset);
  return 0n;
}

function decompress(type: number, records: Buffer): Promise<Buffer> {
  const codecs = CompressionCodecs as Record<
    number,
    (() => { decompress(records: Buffer): Promise<Buffer> }) | undefined
  >;
  const codec = codecs[type];
  if (!codec) throw new Error(`Records are compressed in a way that nobody knows here: ${type}.`);
  return codec().decompress(records);
}
